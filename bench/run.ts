/** Runs a suite of cases in one browser and tells what came out. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CASES, SUITES } from './cases/index.ts'
import type { Case, Measure, Opened } from './lib/case.ts'
import { describeMachine, load } from './lib/machine.ts'
import {
  bestOf,
  isMet,
  markdown,
  number,
  plainTable,
  rowsOf,
  type CaseResult,
  type Failure,
  type Report,
  type Row,
} from './lib/report.ts'
import { plot } from './lib/plot.ts'
import { openStage, type Stage } from './lib/stage.ts'
import { summarize } from './lib/stats.ts'

export interface BenchOptions {
  suite: string
  /** Names of cases; the rest is left out. */
  only?: string[]
  /** In the place of each case's own number of rounds. */
  rounds?: number
  /** Folder for `<suite>.json`, `<suite>.md` and its plot `<suite>.svg`; nothing is written without. */
  out?: string
  commit?: string
  log: (line: string) => void
}

/** @throws for an unknown suite or case. A case that fails is told in the report; the others go on. */
export async function runBench({ suite, only, rounds, out, commit, log }: BenchOptions): Promise<Report> {
  const cases = choose(suite, only)
  const start = performance.now()
  const minutes = cases.reduce((sum, item) => sum + (item.minutes ?? 0.5), 0)
  log(`${cases.length} cases, about ${Math.ceil(minutes)} minutes where nothing else runs`)
  const stage = await openStage(log)
  const machine = describeMachine(stage.browserVersion)
  const results: CaseResult[] = []
  const failures: Failure[] = []
  try {
    for (const item of cases) {
      log(`${item.name}: ${item.title}`)
      try {
        const result = await runCase(rounds === undefined || item.rounds === 1 ? item : { ...item, rounds }, stage)
        results.push(result)
        for (const { row } of rowsOf(result)) {
          log(`  ${number(row.median)} ${item.unit}  ${row.label}`)
        }
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        failures.push({ name: item.name, title: item.title, error: text.split('\n')[0] ?? text })
        log(`  failed: ${text}`)
      }
    }
  } finally {
    await stage.close()
  }
  machine.load.after = load()
  const report: Report = {
    suite,
    date: new Date().toISOString().slice(0, 10),
    ...(commit === undefined ? {} : { commit }),
    seconds: (performance.now() - start) / 1000,
    machine,
    cases: results,
    failures,
  }
  if (out !== undefined) {
    await mkdir(out, { recursive: true })
    await writeFile(join(out, `${suite}.json`), `${JSON.stringify(report, rounded, 2)}\n`)
    await writeFile(join(out, `${suite}.md`), markdown(report))
    await writeFile(join(out, `${suite}.svg`), plot(report))
  }
  console.log(`\n${plainTable(report)}\n`)
  console.log(`${machine.browser}, ${machine.cores} cores, load ${machine.load.before} to ${machine.load.after}`)
  return report
}

function choose(suite: string, only: string[] | undefined): Case[] {
  const cases = SUITES[suite]
  if (cases === undefined) throw new Error(`There is no suite ${suite}. There are: ${Object.keys(SUITES).join(', ')}`)
  const unknown = only?.find((name) => !CASES.some((item) => item.name === name))
  if (unknown !== undefined) {
    throw new Error(`There is no case ${unknown}. There are: ${CASES.map((item) => item.name).join(', ')}`)
  }
  // What is asked for by name need not be part of the suite.
  return only === undefined ? cases : CASES.filter((item) => only.includes(item.name))
}

async function runCase(item: Case, stage: Stage): Promise<CaseResult> {
  const opened = await item.open(stage)
  try {
    return await measure(item, opened)
  } finally {
    await opened.close()
  }
}

async function measure(item: Case, opened: Opened): Promise<CaseResult> {
  const { ours, ceiling = [], stock, beside = [] } = opened
  const measures = [ours, ...ceiling, ...(stock === undefined ? [] : [stock]), ...beside]
  const values = new Map<Measure, number[]>(measures.map((one) => [one, []]))
  for (let round = -item.warmups; round < item.rounds; round++) {
    // Each is first as often as last: what heats or fills something up does so for all.
    const turn = (round + item.warmups) % measures.length
    for (const one of [...measures.slice(turn), ...measures.slice(0, turn)]) {
      const value = await one.run(round + item.warmups)
      if (round >= 0) values.get(one)?.push(value)
    }
  }
  const row = (one: Measure): Row => ({ label: one.label, ...summarize(values.get(one) ?? []) })
  const our = row(ours)
  const ceilings = ceiling.map(row)
  const best = bestOf(ceilings, item.better)
  const ratio = best === undefined ? undefined : our.median / best.median
  const stocks = stock === undefined ? undefined : row(stock)
  const ofStock = stocks === undefined ? undefined : our.median / stocks.median
  return {
    name: item.name,
    title: item.title,
    unit: item.unit,
    better: item.better,
    ...(item.aims === undefined
      ? {}
      : { aims: item.aims, met: item.aims.every((aim) => isMet(aim, { ours: our.median, ratio, stock: ofStock })) }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(ofStock === undefined ? {} : { ofStock }),
    ours: our,
    ceiling: ceilings,
    ...(stocks === undefined ? {} : { stock: stocks }),
    beside: beside.map(row),
    notes: opened.notes?.() ?? [],
  }
}

/** Three places say all that there is to say. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
