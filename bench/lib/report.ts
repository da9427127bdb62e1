/** One run in numbers (JSON), for a person (Markdown) and for a terminal. */
import type { Aim, Case, Unit } from './case.ts'
import type { Machine } from './machine.ts'
import type { Summary } from './stats.ts'

export interface Row extends Summary {
  label: string
}

export interface CaseResult {
  name: string
  title: string
  unit: Unit
  better: Case['better']
  aims?: Aim[]
  ours: Row
  ceiling: Row[]
  stock?: Row
  beside: Row[]
  /** Our median divided by the best ceiling's. */
  ratio?: number
  /** Our median divided by the stock library's. */
  ofStock?: number
  /** Whether all aims are; undefined without one. */
  met?: boolean
  notes: string[]
}

export interface Failure {
  name: string
  title: string
  error: string
}

export interface Report {
  suite: string
  date: string
  commit?: string
  seconds: number
  machine: Machine
  cases: CaseResult[]
  failures: Failure[]
}

/** All rows of a case with what each stands for. */
export function rowsOf({ ours, ceiling, stock, beside }: CaseResult): { role: string; row: Row }[] {
  return [
    { role: 'ours', row: ours },
    ...ceiling.map((row) => ({ role: 'ceiling', row })),
    ...(stock === undefined ? [] : [{ role: 'stock', row: stock }]),
    ...beside.map((row) => ({ role: 'beside', row })),
  ]
}

/** The ceiling that counts: the one whose median is best. */
export function bestOf(rows: Row[], better: Case['better']): Row | undefined {
  return rows.toSorted((a, b) => (better === 'more' ? b.median - a.median : a.median - b.median))[0]
}

export function isMet(aim: Aim, figures: Record<Aim['of'], number | undefined>): boolean {
  const figure = figures[aim.of]
  if (figure === undefined) return false
  return aim.is === 'at most' ? figure <= aim.value : figure >= aim.value
}

const HEAD = ['What', 'Ours', 'min–max', 'Ceiling', 'Ratio', 'Stock', 'Ratio', 'Aim', 'Met']

export function summaryTable(report: Report): string[][] {
  const rows = report.cases.map((result) => {
    const ceiling = bestOf(result.ceiling, result.better)
    return [
      result.title,
      figure(result.ours.median, result.unit),
      range(result.ours),
      ceiling === undefined ? '–' : figure(ceiling.median, result.unit),
      result.ratio === undefined ? '–' : result.ratio.toFixed(2),
      result.stock === undefined ? '–' : figure(result.stock.median, result.unit),
      result.ofStock === undefined ? '–' : result.ofStock.toFixed(2),
      result.aims === undefined ? '–' : result.aims.map((aim) => describeAim(aim, result.unit)).join(', '),
      result.met === undefined ? '–' : result.met ? 'yes' : 'no',
    ]
  })
  const failed = report.failures.map(({ title }) => [title, 'failed', '–', '–', '–', '–', '–', '–', 'no'])
  return [HEAD, ...rows, ...failed]
}

export function markdown(report: Report): string {
  const { machine } = report
  return [
    `# Benchmarks: ${report.suite}`,
    '',
    `Written by the bench on ${report.date}${report.commit === undefined ? '' : ` at ${report.commit}`}, in ${Math.round(report.seconds)} s. ` +
      'How to run and read it: [benchmarks.md](../benchmarks.md).',
    '',
    `${machine.browser} (headless), Node ${machine.node}, ${machine.system}; ${machine.cpu}, ${machine.cores} cores, ` +
      `${machine.memoryGiB} GiB; load ${machine.load.before} before, ${machine.load.after} after the run.`,
    '',
    ...table(summaryTable(report)),
    '',
    `![How many times as fast as the ceiling and as stock Helia](${report.suite}.svg)`,
    '',
    '## Every figure',
    '',
    ...report.cases.flatMap(details),
    ...report.failures.flatMap(({ title, error }) => [`### ${title}`, '', 'Failed:', '', `    ${error}`, '']),
  ].join('\n')
}

/** The summary for a terminal. */
export function plainTable(report: Report): string {
  const rows = summaryTable(report)
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  ')).join('\n')
}

function details(result: CaseResult): string[] {
  const rows = [
    ['', result.unit, 'median', 'min', 'max', 'runs'],
    ...rowsOf(result).map(({ role, row }) => [
      role,
      row.label,
      number(row.median),
      number(row.min),
      number(row.max),
      String(row.values.length),
    ]),
  ]
  return [`### ${result.title}`, '', ...table(rows), '', ...result.notes.flatMap((note) => [note, ''])]
}

function table(rows: string[][]): string[] {
  const [head = [], ...body] = rows
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...body.map(line)]
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

function describeAim({ of, is, value }: Aim, unit: Unit): string {
  return `${is === 'at most' ? '≤' : '≥'} ${of === 'ours' ? `${value} ${unit}` : of === 'ratio' ? `${value} of it` : `${value} × stock`}`
}

function figure(value: number, unit: Unit): string {
  return `${number(value)} ${unit}`
}

function range({ min, max, values }: Summary): string {
  return values.length === 1 ? '–' : `${number(min)}–${number(max)}`
}

export function number(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}
