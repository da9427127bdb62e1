import { describe, expect, it } from 'vitest'
import { bestOf, isMet, markdown, plainTable, type Report, type Row } from '../../../bench/lib/report.ts'
import { summarize } from '../../../bench/lib/stats.ts'

const row = (label: string, ...values: number[]): Row => ({ label, ...summarize(values) })

describe('the figures of a benchmark', () => {
  it('are told by median, minimum and maximum', () => {
    expect(summarize([5, 1, 3])).toMatchObject({ median: 3, min: 1, max: 5 })
    expect(summarize([4, 1, 3, 2])).toMatchObject({ median: 2.5 })
    expect(() => summarize([])).toThrow('Nothing was measured')
  })

  it('are held against the best ceiling: the fastest throughput, the shortest time', () => {
    const rows = [row('slow', 10, 90), row('fast', 60, 70)]
    expect(bestOf(rows, 'more')?.label).toBe('fast')
    expect(bestOf(rows, 'less')?.label).toBe('slow')
    expect(bestOf([], 'more')).toBeUndefined()
  })

  it('meet an aim of their own, of the ratio, or of the stock library', () => {
    const figures = { ours: 400, ratio: 0.8, stock: 4 }
    expect(isMet({ of: 'ours', is: 'at most', value: 400 }, figures)).toBe(true)
    expect(isMet({ of: 'ours', is: 'at most', value: 399 }, figures)).toBe(false)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.8 }, figures)).toBe(true)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.81 }, figures)).toBe(false)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.8 }, { ...figures, ratio: undefined })).toBe(false)
    expect(isMet({ of: 'stock', is: 'at least', value: 4 }, figures)).toBe(true)
    expect(isMet({ of: 'stock', is: 'at least', value: 5 }, figures)).toBe(false)
  })

  it('are told with what failed', () => {
    const report: Report = {
      suite: 'smoke',
      date: '2026-11-21',
      seconds: 1,
      machine: {
        cpu: 'a cpu',
        cores: 2,
        memoryGiB: 8,
        system: 'Linux',
        browser: 'Chrome/1',
        node: '24',
        load: { before: 0, after: 1 },
      },
      cases: [
        {
          name: 'transfer',
          title: 'Transfer',
          unit: 'MiB/s',
          better: 'more',
          aims: [
            { of: 'ratio', is: 'at least', value: 0.8 },
            { of: 'stock', is: 'at least', value: 4 },
          ],
          ours: row('ours', 20, 30, 25),
          ceiling: [row('raw', 50)],
          stock: row('stock', 5),
          beside: [],
          ratio: 0.5,
          ofStock: 5,
          met: false,
          notes: ['A note.'],
        },
      ],
      failures: [{ name: 'add', title: 'Add', error: 'no disk' }],
    }
    const text = plainTable(report)
    expect(text).toMatch(
      /Transfer +25\.0 MiB\/s +20\.0–30\.0 +50\.0 MiB\/s +0\.50 +5\.00 MiB\/s +5\.00 +≥ 0\.8 of it, ≥ 4 × stock +no/,
    )
    expect(text).toMatch(/Add +failed .* no/)
    expect(markdown(report)).toContain('no disk')
    expect(markdown(report)).toContain('A note.')
    expect(markdown(report)).toContain('(smoke.svg)')
  })
})
