import { availableParallelism, cpus, loadavg, totalmem, type as system } from 'node:os'

/** Where the figures were taken: they mean nothing without. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  system: string
  browser: string
  node: string
  /** Tasks that wanted a core when the run began and when it ended, the mean of a minute: other work on the machine shows here. */
  load: { before: number; after: number }
}

export function describeMachine(browser: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: system(),
    browser,
    node: process.versions.node,
    load: { before: load(), after: 0 },
  }
}

export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10
}
