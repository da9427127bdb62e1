import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { onTestFinished, vi } from 'vitest'
import { startCompanion } from '../../../src/companion/companion.ts'
import { loadConfig } from '../../../src/companion/config.ts'
import type { PrivateKey, Stream } from '@libp2p/interface'
import type { IncomingHttpHeaders } from 'node:http'
import type { Companion, CompanionOptions } from '../../../src/companion/companion.ts'
import type { CompanionConfig } from '../../../src/companion/config.ts'

export const PAGE = '<!doctype html><title>app</title>'
export const SCRIPT = `export const words = '${'a long script that compresses well; '.repeat(100)}'\n`

/** A folder that goes with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pocket-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A built app as Vite leaves it. */
export async function fixtureSite(files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), 'site')
  const all = {
    'index.html': PAGE,
    'service-worker.js': '// service worker',
    'manifest.webmanifest': '{}',
    'embed.js': SCRIPT,
    'node.js': SCRIPT,
    'icons/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'assets/app-DiwrgTda.js': SCRIPT,
    'assets/app-BT3x_k-9.css': 'body { color: red }',
    '.build-stamp': 'secret',
    '.hidden/key': 'secret',
    ...files,
  }
  for (const [path, content] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

export function testConfig(overrides: Partial<CompanionConfig> = {}): CompanionConfig {
  return { ...loadConfig(), appDir: '', port: 0, hosts: ['127.0.0.1'], ...overrides }
}

/** A companion on any free port, stopped with the test. */
export async function companion(
  overrides: Partial<CompanionConfig> = {},
  options: CompanionOptions = {},
): Promise<Companion> {
  const dataDir = overrides.dataDir ?? (await temporaryFolder())
  const started = await startCompanion(testConfig({ dataDir, ...overrides }), options)
  onTestFinished(() => started.stop())
  return started
}

export interface PhoneOptions {
  /** Listens through this relay: the phone is made when the relay has granted it. */
  through?: Companion
  privateKey?: PrivateKey
}

/** A phone: a real js-libp2p node over WebSocket. */
export async function phone({ through, privateKey }: PhoneOptions = {}) {
  const node = await createLibp2p({
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(through === undefined ? {} : { addresses: { listen: [`${relayAddress(through).toString()}/p2p-circuit`] } }),
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify(), ping: ping() },
  })
  onTestFinished(async () => {
    await node.stop()
  })
  return node
}

export type Phone = Awaited<ReturnType<typeof phone>>

export function relayAddress(relay: Companion) {
  return multiaddr(relay.multiaddrs(true)[0] ?? '')
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Sends bytes as they are and collects what comes until the other side ends it: what `fetch` would tidy up. */
export async function sendRaw(port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host)
  socket.on('error', () => socket.destroy())
  socket.write(bytes)
  let answer = ''
  socket.on('data', (data) => (answer += data.toString('latin1')))
  await new Promise((resolve) => socket.once('close', resolve))
  return answer
}

export function rawRequest(
  port: number,
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<RawAnswer> {
  const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return sendRaw(port, `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`).then(parseAnswer)
}

export function parseAnswer(answer: string): RawAnswer {
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers: IncomingHttpHeaders = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: rest.join('\r\n\r\n') }
}

/** The request of a WebSocket client, up to where the server says 101 or why not. */
export function upgradeRequest(port: number, headers: Record<string, string> = {}, path = '/'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const all = {
      Host: 'localhost',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    }
    socket.write(
      `GET ${path} HTTP/1.1\r\n${Object.entries(all)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )
    socket.once('data', (data) => {
      const answer = parseAnswer(data.toString('latin1'))
      if (answer.status === 101) onTestFinished(() => void socket.destroy())
      else socket.destroy()
      resolve(answer)
    })
    socket.once('error', reject)
  })
}

/**
 * Sends zeros until `bytes` are on their way, or nothing has moved for `quietMs`; how many were taken. By events and not
 * with `onDrain()`, which after its first time resolves at once (@libp2p/utils 7.4.1).
 */
export async function sendUpTo(stream: Stream, bytes: number, quietMs?: number): Promise<number> {
  const piece = new Uint8Array(64 * 1024)
  let sent = 0
  while (sent < bytes) {
    sent += piece.byteLength
    if (!stream.send(piece) && !(await drained(stream, quietMs))) break
  }
  return sent
}

function drained(stream: Stream, quietMs: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = quietMs === undefined ? undefined : setTimeout(() => resolve(false), quietMs)
    const look = (): void => {
      clearTimeout(timer)
      // Once libp2p has sent what it had: what is then left over shows whether the other side takes any.
      queueMicrotask(() => resolve(stream.writeBufferLength === 0 || drained(stream, quietMs)))
    }
    stream.addEventListener('drain', look, { once: true })
  })
}

/** Waits for what has no event of its own; long enough for a machine with other things to do. */
export function until<T>(condition: () => T | Promise<T>) {
  return vi.waitUntil(condition, { timeout: 10_000, interval: 20 })
}
