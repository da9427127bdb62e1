import { describe, expect, it } from 'vitest'
import { newId, parsePushMessage } from '../../../src/contract/companion-push.ts'
import { isErrorCode } from '../../../src/shared/errors.ts'
import { browser, keptCompanion, peer, pushService, pushing, vapidClaims, wake } from './push-support.ts'

const kept = keptCompanion()

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
