/** The worker's end of `callWorker` (bench/lib/worker-call.ts). */

/** Does one thing with a file and resolves with the time it took in ms. */
export type Operation = (file: File) => Promise<number>

export interface Question {
  operation: string
  file: File
}

export type Answer = { ms: number } | { error: string }

export function answer(operations: Record<string, Operation>): void {
  addEventListener('message', ({ data }: MessageEvent<Question>) => {
    void reply(operations[data.operation], data.file).then((message) => postMessage(message))
  })
}

async function reply(operation: Operation | undefined, file: File): Promise<Answer> {
  try {
    if (operation === undefined) throw new Error('no such operation')
    return { ms: await operation(file) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
