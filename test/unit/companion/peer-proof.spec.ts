import {
  generateKeyPair,
  privateKeyFromProtobuf,
  publicKeyFromProtobuf,
  publicKeyToProtobuf,
} from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import {
  authBytes,
  authHostname,
  formatAuthParams,
  newChallenge,
  parseAuthParams,
} from '../../../src/contract/companion-auth.ts'
import { createPeerProof } from '../../../src/companion/proof/peer-proof.ts'
import { fromBase64Url, toBase64Url } from '../../../src/shared/base64url.ts'
import { answerChallenge } from './push-support.ts'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import type { AuthParams } from '../../../src/contract/companion-auth.ts'

const HOST = 'relay.example'

async function proof() {
  const privateKey = await generateKeyPair('Ed25519')
  const clock = { now: Date.parse('2026-11-21T12:00:00Z') }
  const server = createPeerProof({ privateKey, hostnames: () => [HOST, '127.0.0.1'], now: () => clock.now })
  const check = (authorization?: string, host = HOST) => {
    const headers = { host, ...(authorization === undefined ? {} : { authorization }) }
    const rest = {
      method: 'GET',
      path: '/push',
      secure: false,
      local: true,
      near: true,
      client: '::1',
      body: new Uint8Array(0),
    }
    return server.check({ ...rest, headers })
  }
  /** The parameters of the 401. */
  const challenge = async (authorization?: string): Promise<AuthParams> => {
    const answer = await check(authorization)
    if (!('challenge' in answer)) throw new Error('was let in')
    expect(answer.challenge).toMatchObject({ status: 401 })
    expect(JSON.parse(String(answer.challenge.body))).toMatchObject({ code: 'ERR_NOT_PROVEN' })
    return parseAuthParams(answer.challenge.headers?.['www-authenticate']) ?? {}
  }
  const isIn = async (authorization: string) => 'peerId' in (await check(authorization))
  const client = await generateKeyPair('Ed25519')
  return { privateKey, clock, check, challenge, isIn, client }
}

function verifyServer(client: Ed25519PrivateKey, params: AuthParams, serverKey: string, challenge: string) {
  const key = publicKeyFromProtobuf(fromBase64Url(serverKey) ?? new Uint8Array(0))
  const clientKey = publicKeyToProtobuf(client.publicKey)
  const signed = authBytes({ 'challenge-server': challenge, 'client-public-key': clientKey, hostname: HOST })
  return key.verify(signed, fromBase64Url(params.sig ?? '') ?? new Uint8Array(0))
}

describe('what is signed', () => {
  it('is as in the example of the specification', async () => {
    const key = privateKeyFromProtobuf(
      Buffer.from(`08011240${'01'.repeat(32)}8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c`, 'hex'),
    )
    const signed = authBytes({
      hostname: 'example.com',
      'client-public-key': Buffer.from(
        '080112208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394',
        'hex',
      ),
      'challenge-server': 'ERERERERERERERERERERERERERERERERERERERERERE=',
    })
    expect(Buffer.from(signed).toString('hex')).toBe(
      '6c69627032702d5065657249443d6368616c6c656e67652d7365727665723d455245524552455245524552455245524552455245524552455245524552455245524552455245524552453d36636c69656e742d7075626c69632d6b65793d080112208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39414686f73746e616d653d6578616d706c652e636f6d',
    )
    expect(toBase64Url(await key.sign(signed))).toBe(
      'UA88qZbLUzmAxrD9KECbDCgSKAUBAvBHrOCF2X0uPLR1uUCF7qGfLPc7dw3Olo-LaFCDpk5sXN7TkLWPVvuXAA',
    )
  })

  it('is never read from a header without end', () => {
    expect(parseAuthParams(`libp2p-PeerID a="${'b'.repeat(2048)}"`)).toBeUndefined()
  })

  it.each([
    ['libp2p-PeerID a="b", c="d"', { a: 'b', c: 'd' }],
    ['libp2p-peerid a="b" c="d=="', { a: 'b', c: 'd==' }],
    ['libp2p-PeerID', {}],
    ['Bearer a="b"', undefined],
    ['libp2p-PeerID a="b", a="c"', undefined],
    ['libp2p-PeerID a=b', undefined],
    ['libp2p-PeerID a="b"c="d"', undefined],
    [undefined, undefined],
  ])('reads %s', (header, params) => {
    const read = parseAuthParams(header)
    expect(read === undefined ? undefined : { ...read }).toEqual(params)
  })

  it.each([
    ['Example.org:8080', 'example.org'],
    ['[::1]:80', '[::1]'],
    ['[::1]', '[::1]'],
    ['localhost', 'localhost'],
  ])('is for the host of %s', (host, name) => expect(authHostname(host)).toBe(name))
})

describe('proof of a peer id', () => {
  it('is asked for, given, and proves the companion in turn', async () => {
    const { check, challenge, client } = await proof()
    const asked = await challenge()
    const mine = newChallenge()
    const proven = await check(await answerChallenge(client, asked, HOST, { 'challenge-server': mine }))
    if (!('peerId' in proven)) throw new Error('not let in')
    expect(proven.peerId).toBe(peerIdFromPrivateKey(client).toString())
    const info = parseAuthParams(proven.headers['authentication-info']) ?? {}
    expect(await verifyServer(client, info, asked['public-key'] ?? '', mine)).toBe(true)
    expect(await check(formatAuthParams({ bearer: info.bearer ?? '' }))).toMatchObject({
      peerId: proven.peerId,
      headers: {},
    })
  })

  it('is given by a client that wants to know first whom it talks to', async () => {
    const { challenge, check, client } = await proof()
    const mine = newChallenge()
    const publicKey = toBase64Url(publicKeyToProtobuf(client.publicKey))
    const asked = await challenge(formatAuthParams({ 'challenge-server': mine, 'public-key': publicKey }))
    expect(await verifyServer(client, asked, asked['public-key'] ?? '', mine)).toBe(true)
    const { sig = '', opaque = '' } = parseAuthParams(await answerChallenge(client, asked, HOST)) ?? {}
    const proven = await check(formatAuthParams({ opaque, sig }))
    expect(proven).toMatchObject({ peerId: peerIdFromPrivateKey(client).toString() })
    const info = parseAuthParams(('peerId' in proven && proven.headers['authentication-info']) || '')
    expect(Object.keys(info ?? {})).toEqual(['bearer', 'expires'])
  })

  it('counts once', async () => {
    const { challenge, isIn, client } = await proof()
    const header = await answerChallenge(client, await challenge(), HOST)
    expect([await isIn(header), await isIn(header)]).toEqual([true, false])
  })

  it('is worth nothing late, early, for another name, under another key, or changed', async () => {
    const { challenge, isIn, client, clock } = await proof()
    const other = await generateKeyPair('Ed25519')
    const forged: [what: string, make: () => Promise<string>][] = [
      ['another name', async () => answerChallenge(client, await challenge(), 'evil.example')],
      [
        'another key',
        async () =>
          answerChallenge(client, await challenge(), HOST, {
            'public-key': toBase64Url(publicKeyToProtobuf(other.publicKey)),
          }),
      ],
      [
        'another companion',
        async () =>
          answerChallenge(
            client,
            { ...(await challenge()), 'public-key': toBase64Url(publicKeyToProtobuf(other.publicKey)) },
            HOST,
          ),
      ],
      ['no signature', async () => answerChallenge(client, await challenge(), HOST, { sig: '' })],
      ['own opaque', async () => answerChallenge(client, { ...(await challenge()), opaque: 'e30.e30' }, HOST)],
      ['a bearer of its own', () => Promise.resolve(formatAuthParams({ bearer: 'e30.e30' }))],
      ['a challenge as bearer', async () => formatAuthParams({ bearer: (await challenge()).opaque ?? '' })],
    ]
    for (const [what, make] of forged) expect(await isIn(await make()), what).toBe(false)
    const late = await answerChallenge(client, await challenge(), HOST)
    clock.now += 60_001
    expect(await isIn(late)).toBe(false)
    const early = await answerChallenge(client, await challenge(), HOST)
    clock.now -= 86_400_000
    expect(await isIn(early)).toBe(false)
    expect(await isIn(await answerChallenge(client, await challenge(), HOST))).toBe(true)
  })

  it('lasts an hour, for one name', async () => {
    const { check, challenge, client, clock } = await proof()
    const proven = await check(await answerChallenge(client, await challenge(), HOST))
    const { bearer = '' } = parseAuthParams(('peerId' in proven && proven.headers['authentication-info']) || '') ?? {}
    const token = formatAuthParams({ bearer })
    expect(await check(token, '127.0.0.1:80')).toHaveProperty('challenge')
    clock.now += 3_599_000
    expect(await check(token)).toHaveProperty('peerId')
    clock.now += 2_000
    expect(await check(token)).toHaveProperty('challenge')
    clock.now -= 86_400_000
    expect(await check(token)).toHaveProperty('challenge')
  })

  it('is refused under a name that is not the companion’s', async () => {
    const { check } = await proof()
    expect(await check(undefined, 'evil.example')).toMatchObject({ challenge: { status: 421 } })
  })

  it('takes Ed25519 keys only', async () => {
    const { challenge } = await proof()
    const { publicKey } = await generateKeyPair('secp256k1')
    const params = { 'challenge-server': newChallenge(), 'public-key': toBase64Url(publicKeyToProtobuf(publicKey)) }
    expect(await challenge(formatAuthParams(params))).not.toHaveProperty('sig')
  })
})
