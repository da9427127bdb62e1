import { readConnection, type ConnectionReport, type PageReport } from '../../contract/page-report.ts'
import type { PhoneInfo, PhoneState } from '../../core/ports.ts'

export interface ReportedPhoneInfo extends PhoneInfo {
  /** What a page says; undefined when it is gone. */
  report(page: object, report: PageReport | undefined): void
}

/**
 * The phone as all pages tell of it, whoever spoke last; of the network this worker hears by itself too where it can
 * (Chrome), since frozen pages say nothing. Before the first page has spoken one is taken to be in front: it started this.
 */
export function createPhoneInfo(): ReportedPhoneInfo {
  const { connection, userAgent } = navigator as WorkerNavigator & { connection?: EventTarget & ConnectionReport }
  const webkit = /AppleWebKit/.test(userAgent) && !/Chrom(e|ium)/.test(userAgent)
  const pages = new Map<object, PageReport['visibility']>()
  const listeners = new Set<() => void>()
  let heard = false
  let state: PhoneState = {
    visibility: 'visible',
    ...(connection === undefined ? {} : { connection: readConnection(connection) }),
    ...(webkit ? { webkit } : {}),
  }
  const set = (change: Partial<PhoneState>): void => {
    const next = { ...state, ...change }
    if (JSON.stringify(next) === JSON.stringify(state)) return
    state = next
    for (const listener of [...listeners]) listener()
  }
  connection?.addEventListener('change', () => set({ connection: readConnection(connection) }))
  return {
    state: () => state,
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    report(page, report) {
      if (report === undefined) pages.delete(page)
      else pages.set(page, report.visibility)
      heard ||= report !== undefined
      if (!heard) return
      const said = [...pages.values()]
      const nearest = (['visible', 'hidden', 'frozen'] as const).find((each) => said.includes(each)) ?? 'hidden'
      const { connection: told, battery } = report ?? {}
      set({
        visibility: nearest,
        ...(told === undefined ? {} : { connection: told }),
        ...(battery === undefined ? {} : { battery }),
      })
    },
  }
}
