import { expect, it } from 'vitest'
import { plot } from '../../../bench/lib/plot.ts'
import type { CaseResult, Row } from '../../../bench/lib/report.ts'
import { summarize } from '../../../bench/lib/stats.ts'

const row = (value: number): Row => ({ label: 'a row', ...summarize([value]) })

function result(given: Partial<CaseResult>): CaseResult {
  return {
    name: 'a-case',
    title: 'A case',
    unit: 'ms',
    better: 'less',
    ours: row(1),
    ceiling: [],
    beside: [],
    notes: [],
    ...given,
  }
}

it('plots how many times as fast ours is, whether more or less is better, and leaves out what is beside nothing', () => {
  const svg = plot({
    cases: [
      result({ title: 'Time < 5 & more', ratio: 4, ofStock: 0.05 }),
      result({ title: 'Throughput', unit: 'MiB/s', better: 'more', ratio: 0.8 }),
      result({ title: 'A size' }),
    ],
  })
  expect(svg).toContain('Time &lt; 5 &amp; more')
  expect(svg).not.toContain('A size')
  const bars = [
    ...svg.matchAll(/<rect class="(\w+)" x="([\d.]+)" y="\d+" width="([\d.]+)" height="10"\/>\n<text[^>]*>([^<]+)/g),
  ]
  expect(bars.map(([, kind, , , text]) => `${kind} ${text}`)).toEqual(['ceiling 0.25 ×', 'stock 20 ×', 'ceiling 0.8 ×'])
  const [one] = /class="one" x1="([\d.]+)"/.exec(svg)?.slice(1).map(Number) ?? []
  const [slower, faster] = bars.map(([, , x, width]) => ({ from: Number(x), to: Number(x) + Number(width) }))
  expect(slower?.to).toBeCloseTo(one ?? 0, 0)
  expect(slower?.from).toBeLessThan(one ?? 0)
  expect(faster?.from).toBe(one)
})
