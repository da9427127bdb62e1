/** How many tests a runner ran, from the report that it wrote for machines. */

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** How a step of `npm test` ended. */
export type Outcome =
  | (Counts & { why?: string })
  /** Something outside of the project is missing: why, in a sentence. */
  | { missing: string }

export interface Verdict {
  line: string
  /** Undefined for a suite that was not run: neither passed nor failed. */
  counts: Counts | undefined
}

/** The part of Vitest's JSON report (Jest's form) that is read. */
interface VitestReport {
  success: boolean
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  /** One for each file. */
  testResults: { name: string; status: string; message?: string; assertionResults: unknown[] }[]
}

/** The part of Playwright's JSON report that is read. */
interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number; skipped: number }
  /** What went wrong outside of any test. */
  errors: unknown[]
}

export function vitestCounts(report: unknown): Counts {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = report as VitestReport
  // A file that could not be loaded has no tests to fail.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests + numTodoTests }
}

export function playwrightCounts(report: unknown): Counts {
  const { stats, errors } = report as PlaywrightReport
  // There are no retries: what passed only sometimes has failed.
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + errors.length, skipped: stats.skipped }
}

/**
 * What a runner's end means. A report is believed only as far as the exit code agrees: errors between tests fail a run
 * in which every test passed, and a run of no tests has shown nothing.
 */
export function judge(counts: Counts | undefined, exitedWell: boolean): Counts & { why?: string } {
  if (counts === undefined) return { passed: 0, failed: 1, skipped: 0, why: 'it wrote no report' }
  if (counts.passed + counts.failed === 0) return { ...counts, failed: 1, why: 'it ran no test' }
  if (counts.failed === 0 && !exitedWell) return { ...counts, failed: 1, why: 'it failed outside of any test' }
  return counts
}

export function sum(all: Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { passed, failed, skipped } of all) {
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
  }
  return total
}

/** `N passed, N failed`, and what was skipped where anything was. */
export function plain({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}

/** What is missing on somebody's machine is told and not counted; in CI it is a failure. */
export function verdict(outcome: Outcome, ci: boolean): Verdict {
  if ('missing' in outcome) {
    const line = `not run: ${outcome.missing}`
    if (!ci) return { line, counts: undefined }
    return { line: `${line} (with CI set this is a failure)`, counts: { passed: 0, failed: 1, skipped: 0 } }
  }
  const { why, ...counts } = outcome
  return { line: `${plain(counts)}${why === undefined ? '' : `: ${why}`}`, counts }
}

export function inCi(env: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(env.CI ?? '')
}
