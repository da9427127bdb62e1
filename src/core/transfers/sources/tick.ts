/** Rates are taken and stragglers looked for so often, in ms. */
const TICK_MS = 200

/** @param tick given the ms since the last one @returns ends it */
export function everyTick(tick: (ms: number) => void): () => void {
  let ticked = Date.now()
  const timer = setInterval(() => {
    const now = Date.now()
    // It is late when the worker stood still, and the clock may have been set back.
    tick(Math.max(TICK_MS, now - ticked))
    ticked = now
  }, TICK_MS)
  return () => clearInterval(timer)
}
