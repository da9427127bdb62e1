import type { Case } from '../lib/case.ts'
import { add } from './add.ts'
import { bootCold, bootWarm } from './boot.ts'
import { cat } from './cat.ts'
import { catMemory } from './cat-memory.ts'
import { repo } from './repo.ts'
import { car } from './car.ts'
import { big } from './big.ts'
import { disk } from './disk.ts'
import { fanOut } from './fan-out.ts'
import { folder } from './folder.ts'
import { sizes } from './sizes.ts'
import { transfer } from './transfer.ts'
import { transferRtt } from './transfer-rtt.ts'
import { wire } from './wire.ts'

const SHORT: Case[] = [...sizes, bootCold, bootWarm, add, cat, catMemory, transfer]

/** In the order in which they run and are told. */
export const CASES: Case[] = [...SHORT, transferRtt, ...folder, disk, ...repo, car, ...fanOut, ...wire, big]

/** Which cases a suite runs. A short one for every change; all of them before a release. */
export const SUITES: Record<string, Case[]> = {
  smoke: SHORT,
  full: CASES,
}
