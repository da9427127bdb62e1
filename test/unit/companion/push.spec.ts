import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newId } from '../../../src/contract/companion-push.ts'
import { keptCompanion, peer, pushService, pushing, wake } from './push-support.ts'
import { rawRequest, sendRaw, temporaryFolder, until } from './support.ts'

const kept = keptCompanion()

describe('/push', () => {
  it('asks everybody for a proof but those who wake', async () => {
    const { port } = kept
    const asks = [
      ['GET', '/push/subscriptions'],
      ['POST', '/push/subscriptions'],
      ['DELETE', `/push/subscriptions/${newId()}`],
      ['GET', '/push/capabilities'],
      ['PUT', `/push/capabilities/${newId()}`],
      ['DELETE', `/push/capabilities/${newId()}`],
      ['DELETE', '/push'],
    ] as const
    for (const [method, path] of asks) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      expect([answer.status, await answer.json()], path).toMatchObject([401, { code: 'ERR_NOT_PROVEN' }])
      expect(answer.headers.get('www-authenticate')).toMatch(/^libp2p-PeerID challenge-client=/)
    }
    expect((await rawRequest(port, '/push/subscriptions', { Host: 'evil.example' })).status).toBe(421)
  })

  it('answers other origins, which see the challenge', async () => {
    const { port } = kept
    const answer = await fetch(`http://127.0.0.1:${port}/push/subscriptions`, { method: 'OPTIONS' })
    expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST, OPTIONS'])
    const refused = await fetch(`http://127.0.0.1:${port}/push/subscriptions`)
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    expect(refused.headers.get('access-control-expose-headers')).toContain('www-authenticate')
  })

  it('knows its addresses and methods', async () => {
    const { port, strict } = kept
    const unknown = await fetch(`http://127.0.0.1:${port}/push/nothing`)
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'ERR_UNKNOWN_METHOD' }])
    const wrong = await fetch(`http://127.0.0.1:${port}/push/wake`)
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    expect(await strict.json('DELETE', '/push/subscriptions/short')).toMatchObject({ status: 400 })
  })

  it('has a rate for each address', async () => {
    const running = await pushing({ apiBurst: 2, apiRequestsPerSecond: 1 })
    const ask = () => fetch(`http://127.0.0.1:${running.port}/push/subscriptions`)
    const [one, two, three] = [await ask(), await ask(), await ask()]
    expect([one.status, two.status, three.status, three.headers.get('retry-after')]).toEqual([401, 401, 429, '1'])
    expect((await fetch(`http://127.0.0.1:${running.port}/healthz`)).status).toBe(200)
  })

  it('reads no more of a body than it takes, nor longer', async () => {
    const { port } = kept
    const head = (length: string) => `POST /push/wake HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`
    expect(await sendRaw(port, head('Content-Length: 100000'))).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i)
    const chunked = `${head('Transfer-Encoding: chunked')}2000\r\n${'x'.repeat(0x2000)}`
    expect(await sendRaw(port, chunked)).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i)
    const none = await fetch(`http://127.0.0.1:${port}/push/capabilities/${newId()}`, { method: 'DELETE', body: 'x' })
    expect([none.status, await none.json()]).toMatchObject([413, { detail: { maxBytes: 0 } }])
    expect(none.headers.get('access-control-allow-origin')).toBe('*')
    const impatient = await pushing({ requestTimeoutMs: 300, headerTimeoutMs: 300 })
    expect(await sendRaw(impatient.port, `${head('Content-Length: 10')}x`)).toMatch(/^HTTP\/1.1 408 /)
  })

  it('writes nothing of a payload, a token or an endpoint into its log', async () => {
    const lines: string[] = []
    const dataDir = await temporaryFolder()
    const [running, service] = await Promise.all([pushing({ dataDir }, (line) => lines.push(line)), pushService()])
    service.answers((response) => response.writeHead(400).end('no'))
    const receiver = await peer(running.port)
    await receiver.subscribe(`${service.origin}/secret-endpoint`)
    const token = await receiver.allow()
    await wake(running.port, token)
    await until(() => lines.length > 0)
    expect(lines).toEqual(['a push service refused a push: 400'])
    await running.stop()
    const stored = await readFile(join(dataDir, 'companion.sqlite'), 'latin1')
    expect(stored).toContain('secret-endpoint')
    expect(stored).not.toContain(token.split('.')[1])
    expect(stored).not.toContain(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('latin1'))
  })
})
