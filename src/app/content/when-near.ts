import type { Attachment } from 'svelte/attachments'

/** Calls `run` each time an element comes near the screen. */
export function whenNear(run: (() => void) | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (run === undefined) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.at(-1)?.isIntersecting === true) run()
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }
}
