export const MiB = 1024 * 1024

export function mibPerSecond(bytes: number, ms: number): number {
  return bytes / MiB / (ms / 1000)
}
