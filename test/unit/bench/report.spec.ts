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

  it('meet an aim of their own or of the ratio', () => {
    expect(isMet({ of: 'ours', is: 'at most', value: 400 }, 400, undefined)).toBe(true)
    expect(isMet({ of: 'ours', is: 'at most', value: 400 }, 401, 0.1)).toBe(false)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.8 }, 1, 0.8)).toBe(true)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.8 }, 100, 0.79)).toBe(false)
    expect(isMet({ of: 'ratio', is: 'at least', value: 0.8 }, 100, undefined)).toBe(false)
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
          aim: { of: 'ratio', is: 'at least', value: 0.8 },
          ours: row('ours', 20, 30, 25),
          ceiling: [row('raw', 50)],
          beside: [],
          ratio: 0.5,
          met: false,
          notes: ['A note.'],
        },
      ],
      failures: [{ name: 'add', title: 'Add', error: 'no disk' }],
    }
    const text = plainTable(report)
    expect(text).toMatch(/Transfer +25\.0 MiB\/s +20\.0–30\.0 +50\.0 MiB\/s +0\.50 +≥ 0\.8 of it +no/)
    expect(text).toMatch(/Add +failed .* no/)
    expect(markdown(report)).toContain('no disk')
    expect(markdown(report)).toContain('A note.')
  })
})
