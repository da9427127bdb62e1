import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { startCompanion } from '../../../src/companion/companion.ts'
import { authBytes, formatAuthParams, newChallenge, parseAuthParams } from '../../../src/contract/companion-auth.ts'
import {
  capabilityHash,
  formatCapabilityToken,
  newCapabilityToken,
  parsePushMessage,
} from '../../../src/contract/companion-push.ts'
import { fromBase64Url, toBase64Url } from '../../../src/shared/base64url.ts'
import { companion, testConfig, until } from './support.ts'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { CompanionConfig } from '../../../src/companion/config.ts'
import type { SubscriptionInfo, WakeRequest } from '../../../src/contract/companion-push.ts'

export interface Pushed {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

/** A push service on this machine: takes what is sent, or answers as the test wants. */
export async function pushService() {
  const pushed: Pushed[] = []
  let answer: (response: ServerResponse, pushed: Pushed) => void = (response) => response.writeHead(201).end()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const arrived = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) }
      pushed.push(arrived)
      answer(response, arrived)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  return {
    origin,
    pushed,
    answers(how: typeof answer) {
      answer = how
    },
    /** The next one that arrives, after so many. */
    async arrived(count: number): Promise<Pushed> {
      await until(() => pushed.length >= count)
      const found = pushed[count - 1]
      if (found === undefined) throw new Error('unreachable')
      return found
    },
  }
}

export type PushService = Awaited<ReturnType<typeof pushService>>

/** What a browser makes for a subscription, and what it does with a push (RFC 8291, written from the specification). */
export function browser(endpoint: string) {
  const own = createECDH('prime256v1')
  own.generateKeys()
  const auth = randomBytes(16)
  const subscription = {
    endpoint,
    expirationTime: null as number | null,
    keys: { p256dh: own.getPublicKey().toString('base64url'), auth: auth.toString('base64url') },
    notification: { title: 'Something arrived', navigate: 'https://pocket.example/' },
  }
  const open = ({ body }: Pushed): string => decryptPush(body, own.getPrivateKey(), auth)
  return {
    subscription,
    open,
    payload: (pushed: Pushed) => new TextDecoder().decode(parsePushMessage(open(pushed))?.payload),
  }
}

export function decryptPush(body: Buffer, privateKey: Uint8Array, auth: Uint8Array): string {
  const own = createECDH('prime256v1')
  own.setPrivateKey(privateKey)
  const salt = body.subarray(0, 16)
  const sender = body.subarray(21, 21 + (body[20] ?? 0))
  const sealed = body.subarray(21 + sender.byteLength)
  const derive = (input: Uint8Array, by: Uint8Array, info: Uint8Array, size: number) =>
    new Uint8Array(hkdfSync('sha256', input, by, info, size))
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), own.getPublicKey(), sender])
  const input = derive(own.computeSecret(sender), auth, info, 32)
  const key = derive(input, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(input, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const cipher = createDecipheriv('aes-128-gcm', key, nonce)
  cipher.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
  const end = padded.findLastIndex((byte) => byte !== 0)
  if (padded[end] !== 2) throw new Error('no delimiter of a last record')
  return padded.subarray(0, end).toString()
}

/** Claims of a VAPID header whose signature fits its key (RFC 8292). */
export function vapidClaims(header: string | undefined): { claims: Record<string, unknown>; key: string } {
  const [, head = '', content = '', signature = '', key = ''] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header ?? '') ?? []
  const point = Buffer.from(key, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' })
  const signed = Buffer.from(`${head}.${content}`)
  const right = verify(
    'sha256',
    signed,
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!right) throw new Error('not signed by the key')
  return { claims: JSON.parse(Buffer.from(content, 'base64url').toString()) as Record<string, unknown>, key }
}

/** A peer that proves itself as the specification says, with a bearer token from then on. */
export async function peer(port: number, privateKey?: Ed25519PrivateKey) {
  const key = privateKey ?? (await generateKeyPair('Ed25519'))
  const origin = `http://127.0.0.1:${port}`
  let bearer = ''
  const send = (method: string, path: string, authorization: string | undefined, body?: unknown) =>
    fetch(`${origin}${path}`, {
      method,
      ...(authorization === undefined ? {} : { headers: { authorization } }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const first = await send(method, path, bearer === '' ? undefined : formatAuthParams({ bearer }), body)
    if (first.status !== 401) return first
    await first.arrayBuffer()
    const challenge = parseAuthParams(first.headers.get('www-authenticate')) ?? {}
    const second = await send(method, path, await answerChallenge(key, challenge, '127.0.0.1'), body)
    bearer = parseAuthParams(second.headers.get('authentication-info'))?.bearer ?? ''
    return second
  }
  return {
    key,
    id: peerIdFromPrivateKey(key).toString(),
    ask,
    async json(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
      const answer = await ask(method, path, body)
      const text = await answer.text()
      return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
    },
    async subscribe(endpoint: string) {
      const made = browser(endpoint)
      const answer = await ask('POST', '/push/subscriptions', made.subscription)
      return { ...made, info: (await answer.json()) as SubscriptionInfo, status: answer.status }
    },
    /** A token for somebody else, registered. */
    async allow(expires?: number): Promise<string> {
      const token = newCapabilityToken()
      const request = { hash: await capabilityHash(token), ...(expires === undefined ? {} : { expires }) }
      const answer = await ask('PUT', `/push/capabilities/${token.id}`, request)
      if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
      return formatCapabilityToken(token)
    },
  }
}

export type Peer = Awaited<ReturnType<typeof peer>>

/** The `Authorization` header that answers a 401. */
export async function answerChallenge(
  key: Ed25519PrivateKey,
  challenge: Partial<Record<string, string>>,
  hostname: string,
  changes: Record<string, string> = {},
): Promise<string> {
  const signed = authBytes({
    'challenge-client': challenge['challenge-client'] ?? '',
    'server-public-key': fromBase64Url(challenge['public-key'] ?? '') ?? new Uint8Array(0),
    hostname,
  })
  return formatAuthParams({
    'public-key': toBase64Url(publicKeyToProtobuf(key.publicKey)),
    opaque: challenge.opaque ?? '',
    'challenge-server': newChallenge(),
    sig: toBase64Url(await key.sign(signed)),
    ...changes,
  })
}

/** Sends with a capability token: `POST /push/wake` if nothing else is said. */
export async function wake(port: number, token: string, request: Partial<WakeRequest> | string = {}) {
  const body =
    typeof request === 'string'
      ? request
      : JSON.stringify({ payload: toBase64Url(new TextEncoder().encode('sealed')), ...request })
  const answer = await fetch(`http://127.0.0.1:${port}/push/wake`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body,
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
}

/** One companion for all tests of a file that change nothing in it: it takes public endpoints only. */
export function keptCompanion() {
  const kept = { port: 0, token: '', strict: {} as Peer, stop: () => Promise.resolve() }
  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pocket-'))
    const running = await startCompanion(testConfig({ dataDir }))
    const strict = await peer(running.port)
    const stop = () => running.stop().then(() => rm(dataDir, { recursive: true }))
    Object.assign(kept, { port: running.port, token: await strict.allow(), strict, stop })
  })
  afterAll(() => kept.stop())
  return kept
}

/** A companion of the test's own that takes endpoints on this machine. */
export function pushing(overrides: Partial<CompanionConfig> = {}, log?: (line: string) => void) {
  return companion({ pushPrivateEndpoints: true, ...overrides }, log === undefined ? {} : { log })
}
