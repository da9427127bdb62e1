import { describe, expect, it } from 'vitest'
import { inCi, judge, plain, playwrightCounts, sum, verdict, vitestCounts } from '../../../scripts/lib/test-counts.ts'

const vitest = { success: true, numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1 }
const file = (status: string, tests: number) => ({ name: 'a.spec.ts', status, assertionResults: Array(tests).fill({}) })

describe('counting a Vitest report', () => {
  it('takes passed, failed and skipped tests', () => {
    expect(vitestCounts({ ...vitest, testResults: [file('failed', 6)] })).toEqual({ passed: 3, failed: 1, skipped: 2 })
  })

  it('counts a file that could not be loaded as one failure', () => {
    const counts = vitestCounts({ ...vitest, testResults: [file('passed', 6), file('failed', 0)] })
    expect(counts.failed).toBe(2)
  })
})

describe('counting a Playwright report', () => {
  it('counts flaky tests and errors outside of tests as failures', () => {
    const stats = { expected: 5, unexpected: 1, flaky: 1, skipped: 2 }
    expect(playwrightCounts({ stats, errors: [{}] })).toEqual({ passed: 5, failed: 3, skipped: 2 })
  })
})

describe('judging the end of a runner', () => {
  it('believes a report with tests and a fitting exit code', () => {
    const counts = { passed: 2, failed: 0, skipped: 0 }
    expect(judge(counts, true)).toEqual(counts)
    const failed = { passed: 2, failed: 1, skipped: 0 }
    expect(judge(failed, false)).toEqual(failed)
  })

  it.each([
    ['no report', undefined, true],
    ['no tests', { passed: 0, failed: 0, skipped: 0 }, true],
    ['nothing but skipped tests', { passed: 0, failed: 0, skipped: 4 }, true],
    ['a failing exit code after tests that passed', { passed: 2, failed: 0, skipped: 0 }, false],
  ])('makes a failure of %s and says why', (_what, counts, exitedWell) => {
    const judged = judge(counts, exitedWell)
    expect(judged.failed).toBe(1)
    expect(judged.why).toBeTypeOf('string')
  })
})

describe('the last line', () => {
  it('is the sum in the plain form', () => {
    const all = [
      { passed: 2, failed: 0, skipped: 0 },
      { passed: 3, failed: 1, skipped: 0 },
    ]
    expect(plain(sum(all))).toBe('5 passed, 1 failed')
  })

  it('names skipped tests when there are any', () => {
    expect(plain({ passed: 1, failed: 0, skipped: 2 })).toBe('1 passed, 0 failed, 2 skipped')
  })
})

describe('a suite whose program is missing', () => {
  it('is told and counts for nothing', () => {
    expect(verdict({ missing: 'no Kubo' }, false)).toEqual({ line: 'not run: no Kubo', counts: undefined })
  })

  it('is a failure in CI', () => {
    expect(verdict({ missing: 'no Kubo' }, true).counts).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })
})

describe('CI', () => {
  it.each([
    [{}, false],
    [{ CI: '' }, false],
    [{ CI: 'false' }, false],
    [{ CI: 'true' }, true],
    [{ CI: '1' }, true],
  ])('%o → %s', (env, ci) => {
    expect(inCi(env)).toBe(ci)
  })
})
