/** What a page says of itself and of its phone: workers see little of it. */
export interface PageReport {
  visibility: 'visible' | 'hidden' | 'frozen'
  online: boolean
  /** Absent where the browser has no `navigator.connection`. */
  connection?: ConnectionReport
  /** Absent where the browser has no `navigator.getBattery`. */
  battery?: BatteryReport
}

/** https://wicg.github.io/netinfo/ */
export interface ConnectionReport {
  /** Only on phones. */
  type?: string
  effectiveType?: string
  /** In ms, rounded by the browser. */
  rtt?: number
  saveData?: boolean
}

export interface BatteryReport {
  /** 0 to 1. */
  level: number
  charging: boolean
}

/** Never throws: what is wrong in it counts as not told. @returns undefined when it says nothing at all */
export function parsePageReport(value: unknown): PageReport | undefined {
  if (!isRecord(value)) return undefined
  const { visibility, online, connection, battery } = value
  if (visibility !== 'visible' && visibility !== 'hidden' && visibility !== 'frozen') return undefined
  if (typeof online !== 'boolean') return undefined
  return {
    visibility,
    online,
    ...(isRecord(connection) ? { connection: readConnection(connection) } : {}),
    ...(isRecord(battery) && typeof battery.charging === 'boolean' && isShare(battery.level)
      ? { battery: { level: battery.level, charging: battery.charging } }
      : {}),
  }
}

export function readConnection({ type, effectiveType, rtt, saveData }: Partial<ConnectionReport>): ConnectionReport {
  return {
    ...(typeof type === 'string' ? { type: type.slice(0, 16) } : {}),
    ...(typeof effectiveType === 'string' ? { effectiveType: effectiveType.slice(0, 16) } : {}),
    ...(typeof rtt === 'number' && rtt >= 0 ? { rtt } : {}),
    ...(typeof saveData === 'boolean' ? { saveData } : {}),
  }
}

const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
