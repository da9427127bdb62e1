import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { IPNSEntry, createIPNSRecord } from '@helia/ipns'
import { encode } from '@ipld/dag-cbor'
import { base36 } from 'multiformats/bases/base36'
import { describe, expect, it } from 'vitest'
import { IPNS_RECORD_TYPE } from '../../../src/contract/companion-api.ts'
import { checkRecord, parseName } from '../../../src/companion/names/record.ts'
import { companion, temporaryFolder } from './support.ts'
import type { Ed25519PrivateKey } from '@libp2p/interface'

const HOUR = 3_600_000
const VALUE = '/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

async function publisher(privateKey?: Ed25519PrivateKey) {
  const key = privateKey ?? (await generateKeyPair('Ed25519'))
  const peerId = peerIdFromPrivateKey(key)
  // Its declared keys have more members than libp2p's, of which none is used here.
  const signer = key as unknown as Parameters<typeof createIPNSRecord>[0]
  return {
    key,
    name: peerId.toCID().toString(base36),
    peerId: peerId.toString(),
    record: async (sequence: number | bigint, lifetime = HOUR, now = Date.now()) =>
      IPNSEntry.encode(await createIPNSRecord(signer, VALUE, sequence, lifetime, { now })),
    /** Signed, and valid until a time that is none. */
    async timeless() {
      const [Value, Validity, prefix] = [VALUE, '2099-13-45T99:99:99Z', 'ipns-signature:'].map((text) =>
        Buffer.from(text),
      )
      const data = encode({ Value, Validity, ValidityType: 0, Sequence: 1, TTL: 0 })
      const signatureV2 = await key.sign(Buffer.concat([prefix ?? Buffer.alloc(0), data]))
      return IPNSEntry.encode({ data: Uint8Array.from(data), signatureV2: Uint8Array.from(signatureV2) })
    },
  }
}

async function put(port: number, name: string, record: Uint8Array, type = IPNS_RECORD_TYPE) {
  const answer = await fetch(`http://127.0.0.1:${port}/routing/v1/ipns/${name}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body: Uint8Array.from(record),
  })
  const text = await answer.text()
  return { status: answer.status, code: text === '' ? undefined : (JSON.parse(text) as { code: string }).code }
}

const get = (port: number, name: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}/routing/v1/ipns/${name}`, { headers })

const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer())

describe('an IPNS name', () => {
  it('is published and resolved, however it is written, over a restart too', async () => {
    const dataDir = await temporaryFolder()
    const running = await companion({ dataDir })
    const { name, peerId, record } = await publisher()
    const first = await record(1n)
    expect((await get(running.port, name)).status).toBe(404)
    expect(await put(running.port, peerId, first)).toEqual({ status: 200, code: undefined })
    const answer = await get(running.port, name)
    expect(answer.headers.get('content-type')).toBe(IPNS_RECORD_TYPE)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await bytesOf(answer)).toEqual(first)
    const etag = answer.headers.get('etag') ?? ''
    expect((await get(running.port, name, { 'if-none-match': etag })).status).toBe(304)
    await running.stop()
    const again = await companion({ dataDir })
    expect(await bytesOf(await get(again.port, name))).toEqual(first)
    const preflight = await fetch(`http://127.0.0.1:${again.port}/routing/v1/ipns/${name}`, { method: 'OPTIONS' })
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, PUT, OPTIONS')
  })

  it('follows its newest sequence, and of one sequence what is valid longest', async () => {
    const { port } = await companion()
    const { name, record } = await publisher()
    const [five, six, sixLonger] = [await record(5), await record(6), await record(6, 2 * HOUR)]
    const huge = await record(2n ** 64n - 1n)
    expect((await put(port, name, six)).status).toBe(200)
    expect(await put(port, name, five)).toEqual({ status: 409, code: 'ERR_RECORD_OUTDATED' })
    expect((await put(port, name, six)).status).toBe(200)
    expect((await put(port, name, sixLonger)).status).toBe(200)
    expect(await put(port, name, six)).toMatchObject({ status: 409 })
    expect(await bytesOf(await get(port, name))).toEqual(sixLonger)
    expect((await put(port, name, huge)).status).toBe(200)
    expect(await put(port, name, sixLonger)).toMatchObject({ status: 409 })
  })

  it('is nobody else’s, and takes no record that is changed, over, oversize or nonsense', async () => {
    const { port } = await companion()
    const [mine, other] = await Promise.all([publisher(), publisher()])
    const good = await mine.record(1)
    const changed = Uint8Array.from(good)
    changed[10] = (changed[10] ?? 0) ^ 1
    const invalid: [what: string, record: Uint8Array][] = [
      ['another key', await other.record(9)],
      ['a changed byte', changed],
      ['over', await mine.record(1, HOUR, Date.now() - 2 * HOUR)],
      ['over at a time that is none', await mine.timeless()],
      ['cut', good.subarray(0, 60)],
      ['nothing', new Uint8Array(0)],
      ['garbage', new Uint8Array(500).fill(7)],
    ]
    for (const [what, record] of invalid) {
      expect(await put(port, mine.name, record), what).toEqual({ status: 400, code: 'ERR_INVALID_RECORD' })
    }
    expect(await put(port, mine.name, new Uint8Array(10_241))).toEqual({ status: 413, code: 'ERR_LIMIT_EXCEEDED' })
    expect(await put(port, mine.name, good, 'application/json')).toMatchObject({ status: 406 })
    expect((await get(port, mine.name)).status).toBe(404)
  })

  it('of an RSA key, or none at all, is refused', async () => {
    const { port } = await companion()
    const secp = peerIdFromPrivateKey(await generateKeyPair('secp256k1')).toString()
    for (const name of ['QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', secp, 'x', 'k51qzi5uqu5', '1'.repeat(100)]) {
      const answer = await get(port, name)
      expect([answer.status, await answer.json()], name).toMatchObject([400, { code: 'ERR_INVALID_ARGUMENT' }])
    }
    expect((await get(port, '..')).status).toBe(404)
  })

  it('ends with its record’s validity', async () => {
    const { name, record } = await publisher()
    const now = Date.now()
    const parsed = parseName(name)
    const bytes = await record(1, HOUR, now)
    const checked = await checkRecord(parsed, bytes, now)
    expect(Math.abs(checked.endsAt - now - HOUR)).toBeLessThan(2)
    expect(checked).toMatchObject({ sequence: 1n, ttlSeconds: 300 })
    await expect(checkRecord(parsed, bytes, now + HOUR + 2)).rejects.toMatchObject({ code: 'ERR_INVALID_RECORD' })
    const { port } = await companion()
    expect((await put(port, name, await record(2, 1_000))).status).toBe(200)
    const answer = await get(port, name)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'public, max-age=0'])
    await expect.poll(async () => (await get(port, name)).status, { timeout: 3_000, interval: 50 }).toBe(404)
  })

  it('finds so much room, and new ones of one address have a rate; known ones go on', async () => {
    const { port } = await companion({ maxNames: 2, newNameBurst: 3 })
    const all = await Promise.all([publisher(), publisher(), publisher(), publisher()])
    const statuses: number[] = []
    for (const { name, record } of all) statuses.push((await put(port, name, await record(1))).status)
    expect(statuses).toEqual([200, 200, 429, 429])
    const [first] = all
    expect((await put(port, first?.name ?? '', (await first?.record(2)) ?? new Uint8Array(0))).status).toBe(200)
  })
})
