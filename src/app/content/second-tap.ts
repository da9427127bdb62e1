/** A double tap is over by then, in ms. */
const DOUBLE_MS = 350
/** A finger does not meet the same point twice, in CSS pixels. */
const NEAR = 32

/** The second tap of a double one would land on whatever has come to the place of the first: it does nothing. */
export function ignoreSecondTap({ clientX, clientY }: MouseEvent): void {
  const swallow = (event: MouseEvent): void => {
    if (Math.hypot(event.clientX - clientX, event.clientY - clientY) > NEAR) return
    event.preventDefault()
    event.stopPropagation()
    // One: what comes after it is meant.
    stop()
  }
  const stop = (): void => removeEventListener('click', swallow, { capture: true })
  addEventListener('click', swallow, { capture: true })
  setTimeout(stop, DOUBLE_MS)
}
