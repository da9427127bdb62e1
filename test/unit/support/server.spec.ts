import { describe, expect, it } from 'vitest'
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
