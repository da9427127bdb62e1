import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { checkSizes } from '../../../scripts/lib/test-sizes.ts'

/** A build whose scripts are this many KiB of what cannot be compressed. */
async function built(sizes: { app: number; worker: number }): Promise<string> {
  const dist = await mkdtemp(join(tmpdir(), 'sizes-'))
  onTestFinished(() => rm(dist, { recursive: true }))
  const script = (KiB: number): string => `export default '${randomBytes(KiB * 768).toString('base64')}'`
  await writeFile(join(dist, 'index.html'), '<script type="module" src="/app.js"></script>')
  await writeFile(join(dist, 'app.js'), `import './shared.js'`)
  await writeFile(join(dist, 'shared.js'), script(sizes.app))
  await writeFile(join(dist, 'node.js'), script(sizes.worker))
  return dist
}

it('lets a build pass that is small enough', async () => {
  const lines: string[] = []
  const outcome = await checkSizes(await built({ app: 50, worker: 200 }), (line) => lines.push(line))
  expect(outcome).toEqual({ passed: 2, failed: 0, skipped: 0 })
  expect(lines).toHaveLength(2)
})

it('fails for what is too large, and says which files it is', async () => {
  const outcome = await checkSizes(await built({ app: 90, worker: 320 }), () => undefined)
  expect(outcome).toMatchObject({ passed: 0, failed: 2 })
  expect(outcome.why).toMatch(/^First screen's script: \d+\.\d KiB gzip, at most 60 \(\/app.js, \/shared.js\); /)
  expect(outcome.why).toMatch(/The node's worker: \d+\.\d KiB gzip, at most 230 \(\/node.js\)$/)
})
