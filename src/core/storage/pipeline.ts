/**
 * Works on up to `width` items at once and gives the results in order, so that a consumer which awaits each result still
 * fills a batch. After a failure no further item is begun.
 */
export async function* pipeline<In, Out>(
  source: Iterable<In> | AsyncIterable<In>,
  width: number,
  work: (item: In) => Promise<Out>,
): AsyncGenerator<Out, void> {
  const running: Promise<Out>[] = []
  try {
    for await (const item of source) {
      const result = work(item)
      // It is awaited in its turn; an earlier failure must not make this one an unhandled rejection.
      result.catch(() => undefined)
      running.push(result)
      const first = running.length < width ? undefined : running.shift()
      if (first !== undefined) yield await first
    }
    for (let first = running.shift(); first !== undefined; first = running.shift()) yield await first
  } finally {
    await Promise.allSettled(running)
  }
}
