import type { Stage } from './stage.ts'

export type Unit = 'ms' | 'KiB' | 'MiB' | 'MiB/s' | 'files/s' | 'B per B'

/** One thing that is timed, over and over. */
export interface Measure {
  /** What it is, in a few words: it stands in the table. */
  label: string
  /** `round` counts from 0. Resolves with the figure in the case's unit; throws when what it did was not what it claims. */
  run(round: number): Promise<number>
}

export interface Aim {
  /** `ours`: our figure itself; `ratio`: our median divided by the ceiling's; `stock`: divided by the stock library's. */
  of: 'ours' | 'ratio' | 'stock'
  is: 'at most' | 'at least'
  value: number
}

export interface Opened {
  ours: Measure
  /** What the browser does at best: no Helia, no libp2p, no port. With several the one with the best median counts. */
  ceiling?: Measure[]
  /** The stock library doing the same. */
  stock?: Measure
  /** What else helps to read the figure: a part of the way, another setting. */
  beside?: Measure[]
  /** Facts that go with the figures, once they were taken. */
  notes?(): string[]
  close(): Promise<void>
}

export interface Case {
  /** Kebab case; `--only` takes it. */
  name: string
  title: string
  unit: Unit
  better: 'less' | 'more'
  /** All are to be met. */
  aims?: Aim[]
  /** Alternating rounds; each runs every measure once. */
  rounds: number
  /** Rounds before those that count: connections and code get warm. */
  warmups: number
  /** What it takes on 2 cores that do nothing else, roughly; told before a run. Default: half a minute. */
  minutes?: number
  open(stage: Stage): Promise<Opened>
}
