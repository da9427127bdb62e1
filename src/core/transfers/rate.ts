/** Bytes a second over the last seconds. */
export interface RateMeter {
  sample(done: number, now: number): void
  rate(now: number): number
}

/** The mean over about this long, in ms: shorter jumps, longer lags. */
const WINDOW_MS = 3_000
/** Samples are at least so far apart, in ms: progress comes with every block. */
const STEP_MS = 100

export function createRateMeter(): RateMeter {
  let samples: { at: number; done: number }[] = []
  let latest: { at: number; done: number } | undefined
  return {
    sample(done, now) {
      latest = { at: now, done }
      if (now - (samples.at(-1)?.at ?? -Infinity) >= STEP_MS) samples.push(latest)
      // One from before the window stays: the mean is counted from there.
      while ((samples[1]?.at ?? Infinity) < now - WINDOW_MS) samples = samples.slice(1)
    },
    rate(now) {
      const first = samples[0]
      if (first === undefined || latest === undefined || now - latest.at > WINDOW_MS) return 0
      return now > first.at ? ((latest.done - first.done) * 1000) / (now - first.at) : 0
    },
  }
}
