/** CPU time of all processes of the browser: unlike throughput it hardly depends on what else the machine does. */
import type { Cdp } from '../../e2e/support/cdp.ts'
import { summarize } from './stats.ts'

export interface CpuMeter {
  /** Runs `work` and counts what the browser spent meanwhile under `name`. */
  during<T>(name: string, work: () => Promise<T>): Promise<T>
  /** In ms. */
  median(name: string): number
}

export function createCpuMeter(cdp: Cdp): CpuMeter {
  const spent = new Map<string, number[]>()
  const total = async (): Promise<number> => {
    const { processInfo } = await cdp.send<{ processInfo: { cpuTime: number }[] }>('SystemInfo.getProcessInfo')
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0)
  }
  return {
    async during(name, work) {
      const before = await total()
      const result = await work()
      spent.set(name, [...(spent.get(name) ?? []), (await total()) - before])
      return result
    },
    median: (name) => summarize(spent.get(name) ?? []).median,
  }
}
