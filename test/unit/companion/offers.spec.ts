import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { formatCapabilityToken, newCapabilityToken, newId } from '../../../src/contract/companion-push.ts'
import { peer } from './push-support.ts'
import { companion, temporaryFolder } from './support.ts'
import type { LeftOffer } from '../../../src/contract/companion-push.ts'
import type { Peer } from './push-support.ts'
import type { CompanionConfig } from '../../../src/companion/config.ts'

async function inbox(overrides: Partial<CompanionConfig> = {}) {
  const running = await companion(overrides)
  const receiver = await peer(running.port)
  return { running, receiver, token: await receiver.allow() }
}

async function leave(port: number, token: string, request: unknown = { body: 'c2VhbGVk' }, id = newId()) {
  const answer = await fetch(`http://127.0.0.1:${port}/push/offers/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  })
  return { id, status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
}

async function collect(receiver: Peer): Promise<{ offers: LeftOffer[]; more: boolean }> {
  return (await receiver.json('GET', '/push/offers')).body as { offers: LeftOffer[]; more: boolean }
}

describe('a left offer', () => {
  it('is collected by its receiver alone, with whose token it came, and deleted', async () => {
    const { running, receiver, token } = await inbox()
    const stranger = await peer(running.port)
    const before = Date.now()
    const { id, status, body } = await leave(running.port, token, { body: 'c2VhbGVk', ttl: 600 })
    expect([status, body.id]).toEqual([200, id])
    expect(await collect(stranger)).toEqual({ offers: [], more: false })
    const { offers, more } = await collect(receiver)
    expect(more).toBe(false)
    expect(offers).toEqual([
      {
        id,
        capability: token.split('.')[0],
        left: expect.any(Number) as number,
        expires: body.expires,
        body: 'c2VhbGVk',
      },
    ])
    expect(offers[0]?.left).toBeGreaterThanOrEqual(before)
    expect((offers[0]?.expires ?? 0) - (offers[0]?.left ?? 0)).toBe(600_000)
    await stranger.ask('DELETE', `/push/offers/${id}`)
    expect((await collect(receiver)).offers).toHaveLength(1)
    expect((await receiver.json('DELETE', `/push/offers/${id}`)).status).toBe(204)
    expect((await collect(receiver)).offers).toEqual([])
  })

  it('survives a restart', async () => {
    const dataDir = await temporaryFolder()
    const { running, receiver, token } = await inbox({ dataDir })
    await leave(running.port, token)
    await running.stop()
    const again = await companion({ dataDir })
    expect((await collect(await peer(again.port, receiver.key))).offers).toMatchObject([{ body: 'c2VhbGVk' }])
  })

  it('is there once, however often it is left, and nobody else replaces it', async () => {
    const { running, receiver, token } = await inbox()
    const other = await receiver.allow()
    const { id } = await leave(running.port, token)
    expect((await leave(running.port, token, { body: 'bmV3' }, id)).status).toBe(200)
    expect(await leave(running.port, other, { body: 'ZXZpbA' }, id)).toMatchObject({
      status: 403,
      body: { code: 'ERR_NOT_ALLOWED' },
    })
    expect((await collect(receiver)).offers).toMatchObject([{ id, body: 'bmV3' }])
  })

  it('ends with its time, and with the capability that it came by', async () => {
    const { running, receiver, token } = await inbox()
    const other = await receiver.allow()
    await leave(running.port, token, { body: 'b3Zlcg', ttl: 0 })
    await leave(running.port, other, { body: 'b3RoZXI' })
    await leave(running.port, token)
    expect((await collect(receiver)).offers.map(({ body }) => body)).toEqual(
      expect.arrayContaining(['b3RoZXI', 'c2VhbGVk']),
    )
    await receiver.ask('DELETE', `/push/capabilities/${other.split('.')[0]}`)
    expect((await collect(receiver)).offers).toMatchObject([{ body: 'c2VhbGVk' }])
  })

  it('needs the receiver’s token', async () => {
    const { running, receiver } = await inbox()
    const answer = await leave(running.port, formatCapabilityToken(newCapabilityToken()))
    expect(answer).toMatchObject({ status: 403, body: { code: 'ERR_NOT_ALLOWED' } })
    expect((await fetch(`http://127.0.0.1:${running.port}/push/offers`)).status).toBe(401)
    expect((await collect(receiver)).offers).toEqual([])
  })

  it('is refused when it is not one', async () => {
    const { running, receiver, token } = await inbox()
    const bad: [what: string, request: unknown, status: number][] = [
      ['no body', {}, 400],
      ['a body that is not base64url', { body: 'a b' }, 400],
      ['an oversize body', { body: Buffer.alloc(2049).toString('base64url') }, 413],
      ['an oversize request', { body: '', more: 'x'.repeat(5000) }, 413],
      ['a time of years', { body: '', ttl: 99_999_999 }, 400],
      ['a time that is none', { body: '', ttl: 'x' }, 400],
    ]
    for (const [what, request, status] of bad) {
      expect((await leave(running.port, token, request)).status, what).toBe(status)
    }
    expect((await leave(running.port, token, { body: '' }, 'short')).status).toBe(400)
    expect((await collect(receiver)).offers).toEqual([])
  })

  it('finds so much room with one capability, one receiver, and in all, and is told when to come back', async () => {
    const limits = { maxOffersPerCapability: 2, maxOffersPerPeer: 3, maxOffers: 4 }
    const { running, receiver, token } = await inbox(limits)
    const other = await receiver.allow()
    const [stranger, third] = await Promise.all([peer(running.port), peer(running.port)])
    const statuses: number[] = []
    for (const by of [token, token, token, other, other]) statuses.push((await leave(running.port, by)).status)
    expect(statuses).toEqual([200, 200, 429, 200, 429])
    expect((await leave(running.port, await stranger.allow())).status).toBe(200)
    const full = await leave(running.port, await third.allow())
    expect([full.status, full.headers.get('retry-after'), full.body.code]).toEqual([429, '600', 'ERR_LIMIT_EXCEEDED'])
    const [first] = (await collect(receiver)).offers
    await receiver.ask('DELETE', `/push/offers/${first?.id}`)
    expect((await leave(running.port, await third.allow())).status).toBe(200)
  })

  it('has a rate', async () => {
    const { running, token } = await inbox({ offerBurst: 1, offersPerMinute: 1 })
    expect((await leave(running.port, token)).status).toBe(200)
    const second = await leave(running.port, token)
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '60'])
  })

  it('comes in pages, oldest first', async () => {
    const dataDir = await temporaryFolder()
    const { receiver, token } = await inbox({ dataDir })
    const db = new DatabaseSync(join(dataDir, 'companion.sqlite'))
    const insert = db.prepare('INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?)')
    db.exec('BEGIN')
    const ids = Array.from({ length: 66 }, () => newId())
    for (const [age, id] of ids.entries()) {
      insert.run(receiver.id, id, token.split('.')[0] ?? '', new Uint8Array(1), age, Date.now() + 60_000)
    }
    db.exec('COMMIT')
    db.close()
    const page = await collect(receiver)
    expect([page.offers.map(({ id }) => id), page.more]).toEqual([ids.slice(0, 64), true])
    for (const { id } of page.offers.slice(0, 2)) await receiver.ask('DELETE', `/push/offers/${id}`)
    const rest = await collect(receiver)
    expect([rest.offers.map(({ id }) => id), rest.more]).toEqual([ids.slice(2), false])
  })
})
