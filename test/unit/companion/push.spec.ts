import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCompanion } from '../../../src/companion/companion.ts'
import { checkEndpoint, isPublicAddress, publicLookup } from '../../../src/companion/push/endpoint.ts'
import { newId, parsePushMessage } from '../../../src/contract/companion-push.ts'
import { isErrorCode } from '../../../src/shared/errors.ts'
import { browser, peer, pushService, vapidClaims, wake } from './push-support.ts'
import { companion, rawRequest, sendRaw, temporaryFolder, testConfig, until } from './support.ts'
import type { CompanionConfig } from '../../../src/companion/config.ts'
import type { Peer } from './push-support.ts'

const DAY = 86_400_000

/** One companion for all tests that change nothing in it: it takes public endpoints only. */
const kept = { port: 0, token: '', strict: {} as Peer, stop: () => Promise.resolve() }
beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pocket-'))
  const running = await startCompanion(testConfig({ dataDir }))
  const strict = await peer(running.port)
  const stop = () => running.stop().then(() => rm(dataDir, { recursive: true }))
  Object.assign(kept, { port: running.port, token: await strict.allow(), strict, stop })
})
afterAll(() => kept.stop())

function pushing(overrides: Partial<CompanionConfig> = {}, log?: (line: string) => void) {
  return companion({ pushPrivateEndpoints: true, ...overrides }, log === undefined ? {} : { log })
}

describe('a wake', () => {
  it('reaches each browser of the receiver, sealed for it, from a stranger with the token', async () => {
    const [running, service] = await Promise.all([pushing(), pushService()])
    const receiver = await peer(running.port)
    const phone = await receiver.subscribe(`${service.origin}/phone`)
    const tablet = await receiver.subscribe(`${service.origin}/tablet`)
    const token = await receiver.allow()
    const answer = await wake(running.port, token, { ttl: 600, urgency: 'high' })
    expect([answer.status, answer.body]).toEqual([202, { queued: 2 }])
    await service.arrived(2)
    const [first, second] = ['/phone', '/tablet'].map((path) => service.pushed.find((pushed) => pushed.path === path))
    if (first === undefined || second === undefined) throw new Error('not for both')
    expect([phone.payload(first), tablet.payload(second)]).toEqual(['sealed', 'sealed'])
    expect(() => phone.open(second)).toThrow()
    expect(JSON.parse(phone.open(first))).toMatchObject({
      web_push: 8030,
      mutable: true,
      notification: { title: 'Something arrived', navigate: 'https://pocket.example/' },
    })
    expect(first.headers).toMatchObject({ 'content-encoding': 'aes128gcm', urgency: 'high' })
    expect(Number(first.headers.ttl)).toBeGreaterThan(590)
    expect(first.headers).not.toHaveProperty('topic')
    const info = (await (await fetch(`${running.localUrl}.well-known/pocket-companion`)).json()) as Record<
      string,
      unknown
    >
    const { claims, key } = vapidClaims(first.headers.authorization)
    expect(key).toBe(info.vapidPublicKey)
    expect(claims).toMatchObject({ aud: service.origin, sub: 'https://localhost/' })
  })

  it('carries the largest payload beside the longest words', async () => {
    const [running, service] = await Promise.all([pushing(), pushService()])
    const receiver = await peer(running.port)
    const made = browser(`${service.origin}/p`)
    const notification = { title: '\u0001'.repeat(120), navigate: `https://pocket.example/${'x'.repeat(489)}` }
    await receiver.ask('POST', '/push/subscriptions', { ...made.subscription, notification })
    const payload = Buffer.alloc(1536, 'p').toString('base64url')
    expect((await wake(running.port, await receiver.allow(), { payload })).status).toBe(202)
    expect(made.payload(await service.arrived(1))).toBe('p'.repeat(1536))
  })

  it('replaces an earlier one of its topic, which the push service cannot read', async () => {
    const [running, service] = await Promise.all([pushing({ pushRetryMs: 60_000 }), pushService()])
    const receiver = await peer(running.port)
    await receiver.subscribe(`${service.origin}/p`)
    const [mine, theirs] = [await receiver.allow(), await receiver.allow()]
    service.answers((response) => response.writeHead(503).end())
    for (const token of [mine, mine, theirs]) await wake(running.port, token, { topic: 'inbox' })
    await service.arrived(3)
    const topics = service.pushed.map(({ headers }) => String(headers.topic))
    expect(new Set(topics).size).toBe(2)
    for (const topic of topics) expect(topic).toMatch(/^[\w-]{32}$/)
  })

  it('is refused without the receiver’s token, and in the same way whatever is wrong with it', async () => {
    const [running, service] = await Promise.all([pushing(), pushService()])
    const [receiver, stranger] = await Promise.all([peer(running.port), peer(running.port)])
    await receiver.subscribe(`${service.origin}/p`)
    const good = await receiver.allow()
    const [id = '', secret = ''] = good.split('.')
    const expired = await receiver.allow(Date.now() - 1)
    const revoked = await receiver.allow()
    await receiver.ask('DELETE', `/push/capabilities/${revoked.split('.')[0]}`)
    const bad = ['', id, `${newId()}.${secret}`, `${id}.${secret.slice(0, -2)}AA`, `${good}.x`, expired, revoked]
    const answers = await Promise.all(bad.map((token) => wake(running.port, token)))
    const refusal = { code: 'ERR_NOT_ALLOWED', message: 'The receiver has not allowed this, or does not any more' }
    for (const { status, body } of answers) expect([status, body]).toEqual([403, refusal])
    expect((await stranger.json('PUT', `/push/capabilities/${id}`, { hash: 'A'.repeat(43) })).status).toBe(403)
    await stranger.ask('DELETE', `/push/capabilities/${id}`)
    expect(await wake(running.port, good)).toMatchObject({ status: 202 })
    await service.arrived(1)
    expect(service.pushed).toHaveLength(1)
  })

  it('says so when there is nobody to wake', async () => {
    const running = await pushing()
    const receiver = await peer(running.port)
    const token = await receiver.allow()
    expect(await wake(running.port, token)).toMatchObject({ status: 202, body: { queued: 0 } })
    await receiver.ask('DELETE', '/push')
    expect(await wake(running.port, token)).toMatchObject({ status: 403 })
  })

  it.each([
    ['no JSON', 'x', 400],
    ['an array', '[]', 400],
    ['no payload', '{}', 400],
    ['a payload that is not base64url', '{"payload":"a b"}', 400],
    ['an oversize payload', JSON.stringify({ payload: Buffer.alloc(1537).toString('base64url') }), 413],
    ['an oversize body', JSON.stringify({ payload: '', more: 'x'.repeat(5000) }), 413],
    ['a negative TTL', '{"payload":"","ttl":-1}', 400],
    ['a TTL of years', '{"payload":"","ttl":99999999}', 400],
    ['an unknown urgency', '{"payload":"","urgency":"now"}', 400],
    ['a long topic', `{"payload":"","topic":"${'x'.repeat(33)}"}`, 400],
  ])('is refused with %s', async (_what, request, status) => {
    const { port, token } = kept
    const answer = await wake(port, token, request)
    expect(answer.status).toBe(status)
    expect(isErrorCode(answer.body.code)).toBe(true)
  })

  it('has a rate for each capability and for each receiver', async () => {
    const rates = {
      wakesPerMinutePerCapability: 1,
      wakeBurstPerCapability: 2,
      wakesPerMinutePerPeer: 4,
      wakeBurstPerPeer: 3,
    }
    const running = await pushing(rates)
    const receiver = await peer(running.port)
    const [one, two] = [await receiver.allow(), await receiver.allow()]
    const send = async (token: string) => (await wake(running.port, token)).status
    expect([await send(one), await send(one), await send(one)]).toEqual([202, 202, 429])
    const last = await wake(running.port, one)
    expect([last.headers.get('retry-after'), last.body.code]).toEqual(['60', 'ERR_LIMIT_EXCEEDED'])
    expect([await send(two), await send(two)]).toEqual([202, 429])
    const other = await (await peer(running.port)).allow()
    expect(await send(other)).toBe(202)
  })
})

describe('a subscription', () => {
  it('is renewed by its endpoint, listed without it, and ends', async () => {
    const running = await pushing()
    const [receiver, stranger] = await Promise.all([peer(running.port), peer(running.port)])
    const first = await receiver.subscribe('https://push.example/one')
    expect(first.status).toBe(200)
    expect(first.info.expires).toBeGreaterThan(Date.now() + 89 * DAY)
    const again = await receiver.subscribe('https://push.example/one')
    expect(again.info.id).toBe(first.info.id)
    const short = browser('https://push.example/two').subscription
    const expirationTime = Date.now() + DAY
    expect(await receiver.json('POST', '/push/subscriptions', { ...short, expirationTime })).toMatchObject({
      body: { expires: expirationTime },
    })
    const listed = await receiver.json('GET', '/push/subscriptions')
    expect(listed.body).toMatchObject({ subscriptions: [{ id: first.info.id }, { expires: expirationTime }] })
    expect(JSON.stringify(listed.body)).not.toContain('push.example')
    expect((await stranger.json('GET', '/push/subscriptions')).body).toEqual({ subscriptions: [] })
    await stranger.ask('DELETE', `/push/subscriptions/${first.info.id}`)
    expect((await receiver.json('DELETE', `/push/subscriptions/${first.info.id}`)).status).toBe(204)
    expect((await receiver.json('GET', '/push/subscriptions')).body).toMatchObject({
      subscriptions: [{ expires: expirationTime }],
    })
  })

  it('makes room for a new one when there are too many, and capabilities do not', async () => {
    const running = await pushing({ maxSubscriptionsPerPeer: 2, maxCapabilitiesPerPeer: 1 })
    const receiver = await peer(running.port)
    const ids: string[] = []
    for (const name of ['a', 'b', 'c']) ids.push((await receiver.subscribe(`https://push.example/${name}`)).info.id)
    const { body } = await receiver.json('GET', '/push/subscriptions')
    expect((body as { subscriptions: { id: string }[] }).subscriptions.map(({ id }) => id)).toEqual(
      expect.arrayContaining(ids.slice(1)),
    )
    await receiver.allow()
    const more = await receiver.json('PUT', `/push/capabilities/${newId()}`, { hash: 'A'.repeat(43) })
    expect(more).toMatchObject({ status: 409, body: { code: 'ERR_LIMIT_EXCEEDED', detail: { maxCapabilities: 1 } } })
  })

  it('survives a restart, with the key that it belongs to, and so does a wake that was not taken', async () => {
    const dataDir = await temporaryFolder()
    const service = await pushService()
    // Silent: it is under way when the companion stops.
    service.answers(() => undefined)
    const running = await pushing({ dataDir, pushRetryMs: 10 })
    const receiver = await peer(running.port)
    const phone = await receiver.subscribe(`${service.origin}/p`)
    const token = await receiver.allow()
    await wake(running.port, token)
    const before = vapidClaims((await service.arrived(1)).headers.authorization).key
    await running.stop()
    service.answers((response) => response.writeHead(201).end())
    const again = await pushing({ dataDir })
    expect(phone.payload(await service.arrived(2))).toBe('sealed')
    await wake(again.port, token, { payload: 'YWdhaW4' })
    const last = await service.arrived(3)
    expect(phone.payload(last)).toBe('again')
    expect(vapidClaims(last.headers.authorization).key).toBe(before)
    expect((await (await peer(again.port, receiver.key)).json('GET', '/push/subscriptions')).body).toMatchObject({
      subscriptions: [{ id: phone.info.id }],
    })
  })

  it('counts peers, and new ones of one address', async () => {
    const running = await pushing({ maxKnownPeers: 2, newPeerBurst: 3 })
    const statuses: number[] = []
    for (let count = 0; count < 4; count += 1) {
      const receiver = await peer(running.port)
      const first = await receiver.subscribe('https://push.example/p')
      statuses.push(first.status)
      if (count === 0) expect((await receiver.subscribe('https://push.example/q')).status).toBe(200)
    }
    expect(statuses).toEqual([200, 200, 429, 429])
  })

  const good = browser('https://push.example/p').subscription
  it.each([
    ['http', { endpoint: 'http://push.example/p' }],
    ['another port', { endpoint: 'https://push.example:8443/p' }],
    ['a user', { endpoint: 'https://a@push.example/p' }],
    ['loopback', { endpoint: 'https://127.0.0.1/p' }],
    ['loopback in disguise', { endpoint: 'https://0x7f.1/p' }],
    ['IPv6 loopback', { endpoint: 'https://[::1]/p' }],
    ['an embedded address', { endpoint: 'https://[::ffff:10.0.0.1]/p' }],
    ['a bare name', { endpoint: 'https://localhost/p' }],
    ['no URL', { endpoint: 'push' }],
    ['a long URL', { endpoint: `https://push.example/${'x'.repeat(1024)}` }],
    ['no keys', { keys: undefined }],
    ['a short key', { keys: { ...good.keys, p256dh: 'BAAA' } }],
    ['no point', { keys: { ...good.keys, p256dh: Buffer.alloc(65, 4).toString('base64url') } }],
    ['a short secret', { keys: { ...good.keys, auth: 'AAAA' } }],
    ['no words', { notification: undefined }],
    ['many words', { notification: { ...good.notification, title: 'x'.repeat(121) } }],
    ['a script to open', { notification: { ...good.notification, navigate: 'javascript:alert(1)' } }],
    ['plain http to open', { notification: { ...good.notification, navigate: 'http://pocket.example/' } }],
    ['a time that is none', { expirationTime: 'soon' }],
  ])('is refused with %s', async (_what, changes) => {
    const { strict } = kept
    const answer = await strict.json('POST', '/push/subscriptions', { ...good, ...changes })
    expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_INVALID_ARGUMENT' } })
  })
})

describe('endpoints on the public internet', () => {
  it.each(['10.1.2.3', '100.64.0.1', '169.254.169.254', '192.168.1.1', '172.31.0.1', '224.0.0.1', '255.255.255.255'])(
    'are not at %s',
    (address) => expect(isPublicAddress(address)).toBe(false),
  )

  it.each([
    '::',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
    '2001::1',
    'ff02::1',
  ])('are not at %s', (address) => expect(isPublicAddress(address)).toBe(false))

  it.each(['8.8.8.8', '172.32.0.1', '2607:f8b0::1', '2a00:1450::1'])('are at %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  it('are looked at again when a name is dialled', async () => {
    expect(checkEndpoint('https://rebound.example/p', false).hostname).toBe('rebound.example')
    for (const all of [true, false]) {
      const error = await new Promise((resolve) => publicLookup('localhost', { all }, resolve))
      expect(error).toMatchObject({ code: 'EACCES' })
    }
  })
})

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

it('does not take what is not of a companion for a wake', () => {
  const texts = [
    '',
    'x',
    'null',
    '{}',
    '{"web_push":8030}',
    '{"web_push":8030,"notification":{"title":"x","data":{"pocket":1}}}',
    '{"web_push":8030,"notification":{"title":"x","data":{"payload":"eA"}}}',
  ]
  expect(texts.map((text) => parsePushMessage(text))).toEqual(texts.map(() => undefined))
})
