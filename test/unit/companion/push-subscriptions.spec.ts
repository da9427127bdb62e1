import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { checkEndpoint, isPublicAddress, publicLookup } from '../../../src/companion/push/endpoint.ts'
import { newId } from '../../../src/contract/companion-push.ts'
import { browser, keptCompanion, peer, pushService, pushing, vapidClaims, wake } from './push-support.ts'
import { companion, temporaryFolder } from './support.ts'

const DAY = 86_400_000

const kept = keptCompanion()

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

  it('takes no place, and none of the address’s, when it is refused', async () => {
    const dataDir = await temporaryFolder()
    const running = await companion({ dataDir, maxKnownPeers: 1, newPeerBurst: 2 })
    const { subscription } = browser('https://push.example/p')
    const ask = async (changes: object) =>
      (await (await peer(running.port)).json('POST', '/push/subscriptions', { ...subscription, ...changes })).status
    for (let count = 0; count < 2; count += 1) expect(await ask({ endpoint: 'https://127.0.0.1/p' })).toBe(400)
    const p256dh = Buffer.alloc(65, 4).toString('base64url')
    expect(await ask({ keys: { ...subscription.keys, p256dh } })).toBe(400)
    const db = new DatabaseSync(join(dataDir, 'companion.sqlite'), { readOnly: true })
    expect(db.prepare('SELECT count(*) AS peers FROM peers').get()?.peers).toBe(0)
    db.close()
    expect(await ask({})).toBe(200)
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
