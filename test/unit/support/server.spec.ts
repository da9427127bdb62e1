import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { startServer } from '../../../e2e/support/process.ts'

const NODE = process.execPath
const ready = (line: string): boolean => line === 'ready'
const start = (script: string, timeoutMs = 10_000) =>
  startServer({ command: NODE, args: ['-e', script], ready, timeoutMs })

describe('startServer', () => {
  it('resolves at the line that means ready, and stops with SIGTERM', async () => {
    const server = await start(`
      process.on('SIGTERM', () => { console.log('bye'); process.exit(0) })
      console.log('starting'); console.log('ready'); setInterval(() => {}, 1e6)`)
    expect(server.log()).toBe('starting\nready')
    await server.stop()
    await server.stop()
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })

  it('rejects with what was said when it ends before', async () => {
    await expect(start(`console.error('no port'); process.exit(1)`)).rejects.toThrow(/ended before[^]*no port/)
  })

  it('rejects and ends it when it takes too long', async () => {
    await expect(start(`console.log(process.pid); setInterval(() => {}, 1e6)`, 1_000)).rejects.toThrow(
      /not ready after/,
    )
  })

  it('kills at once, as a crash', async () => {
    const server = await start(`process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1e6)`)
    await server.kill()
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })
})

it('a companion ends when the test that started it was killed', async () => {
  const app = await mkdtemp(join(tmpdir(), 'pocket-'))
  onTestFinished(() => rm(app, { recursive: true, force: true }))
  await writeFile(join(app, 'index.html'), '<!doctype html><title>app</title>')
  const support = new URL('../../../e2e/support/companion.ts', import.meta.url).href
  const script = `
    const { startCompanion } = await import(${JSON.stringify(support)})
    const { url, dataDir } = await startCompanion({ env: { POCKET_APP_DIR: ${JSON.stringify(app)} } })
    console.log(JSON.stringify({ url, dataDir }))
    setInterval(() => {}, 1e6)`
  const test = spawn(NODE, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void test.kill('SIGKILL'))
  const [printed] = (await once(test.stdout, 'data')) as [Buffer]
  const { url, dataDir } = JSON.parse(printed.toString()) as { url: string; dataDir: string }
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  const answers = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  expect(await answers()).toBe(true)
  test.kill('SIGKILL')
  await vi.waitUntil(async () => !(await answers()), { timeout: 10_000, interval: 100 })
}, 30_000)
