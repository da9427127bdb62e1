import type { NetworkInfo } from '../../core/ports.ts'

export interface ReportedNetworkInfo extends NetworkInfo {
  /** What a page's online and offline events say. */
  report(online: boolean): void
}

/** Workers of Chrome hear no online and offline events; `navigator.onLine` is looked at this often, in ms. */
const POLL_MS = 2_000

/** Whether there is a network, as far as the browser knows: what a page reports counts at once, the rest is polled. */
export function createNetworkInfo(): ReportedNetworkInfo {
  const listeners = new Set<(online: boolean) => void>()
  let online = navigator.onLine
  let polled = online
  let timer: ReturnType<typeof setInterval> | undefined
  const set = (value: boolean): void => {
    if (value === online) return
    online = value
    for (const listener of listeners) listener(value)
  }
  const poll = (): void => {
    // Only a change: what the page said last stands otherwise.
    if (navigator.onLine === polled) return
    polled = navigator.onLine
    set(polled)
  }
  return {
    online: () => {
      poll()
      return online
    },
    watch(listener) {
      listeners.add(listener)
      timer ??= setInterval(poll, POLL_MS)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    report: set,
  }
}
