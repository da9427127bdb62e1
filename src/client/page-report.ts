import { readConnection, type BatteryReport, type ConnectionReport, type PageReport } from '../contract/page-report.ts'

interface Battery extends EventTarget, BatteryReport {}
interface PhoneNavigator {
  connection?: EventTarget & ConnectionReport
  getBattery?: () => Promise<Battery>
}

/**
 * What of the page and its phone the node goes by. Calls back with each change; not at the start. Chrome has all of it,
 * Safari and Firefox neither `connection` nor `getBattery`.
 */
export function watchPhone(signal: AbortSignal, onChange: (report: PageReport) => void): () => PageReport {
  const { connection, getBattery } = navigator as PhoneNavigator
  let frozen = false
  let battery: BatteryReport | undefined
  const report = (): PageReport => ({
    visibility: frozen ? 'frozen' : document.visibilityState,
    online: navigator.onLine,
    ...(connection === undefined ? {} : { connection: readConnection(connection) }),
    ...(battery === undefined ? {} : { battery }),
  })
  const changed = (): void => onChange(report())
  const on = (target: EventTarget, types: string[], listener: () => void): void => {
    for (const type of types) target.addEventListener(type, listener, { signal })
  }
  on(document, ['visibilitychange'], changed)
  on(globalThis, ['online', 'offline'], changed)
  // A frozen page says so in its last moment: nothing runs after the listener.
  on(document, ['freeze'], () => {
    frozen = true
    changed()
  })
  on(document, ['resume'], () => {
    frozen = false
    changed()
  })
  if (connection !== undefined) on(connection, ['change'], changed)
  const follow = (found: Battery): void => {
    const look = (): void => {
      battery = { level: found.level, charging: found.charging }
      if (!signal.aborted) changed()
    }
    on(found, ['levelchange', 'chargingchange'], look)
    look()
  }
  // Refused in frames whose permissions policy says so.
  void getBattery?.call(navigator).then(follow, () => undefined)
  return report
}
