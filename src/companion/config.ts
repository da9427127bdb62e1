import { readFileSync } from 'node:fs'
import { PocketError } from '../shared/errors.ts'
import { addressList, flag, integer, text, webSocketAddressList } from './config-fields.ts'
import { PUSH_FIELDS } from './config-push.ts'
import { parseJsonc } from './jsonc.ts'
import type { Field } from './config-fields.ts'

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/**
 * Every field of the companion: type, default and reason. In the file it has this name, in the environment it is
 * `POCKET_` and the name in capitals (`maxPeers` is POCKET_MAX_PEERS). A flag of `npm start` beats the environment,
 * which beats the file, which beats the default. `relay-config/companion.example.jsonc` shows them all.
 */
export const FIELDS = {
  // Where

  /** Folder of what must survive a restart: identity, keys, what phones left. Relative ones start at the working folder. */
  dataDir: text('.data'),
  /** Folder of the built app. Empty: relay only, for a machine that serves the app from elsewhere. */
  appDir: text('dist', { mayBeEmpty: true }),
  /** Addresses to listen on. Loopback alone by default: what faces a network is asked for, never assumed. */
  hosts: addressList(['127.0.0.1', '::1']),
  /** One TCP port for app, relay and descriptions, so that there is one origin and one hole in a firewall. 0 takes any free one. */
  port: integer(8080, 0, 65_535),
  /**
   * Multiaddrs told to phones instead of those listened on, without peer id. Needed behind a reverse proxy, which alone
   * knows the public name: /dns4/example.org/tcp/443/tls/ws.
   */
  announce: webSocketAddressList([]),
  /**
   * Addresses of reverse proxies whose X-Forwarded-For is believed. None by default: anyone can write that header, and
   * limits per address would mean nothing.
   */
  trustedProxies: addressList([], { mayBeEmpty: true }),
  /**
   * Serves the local network over TLS with a certificate authority of its own, made on first use (`npm start -- --host`).
   * Off by default: it is for phones beside a laptop; a public server has a real certificate in front.
   */
  localAuthority: flag(false),
  /** Name or address in links when `localAuthority` is on. Empty: the machine's address on the local network. */
  localName: text('', {
    mayBeEmpty: true,
    pattern: /^[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?$/i,
    must: 'a host name or an IP address',
  }),

  // Sockets and requests

  /** Open sockets in all, upgraded ones included: room for every phone and for as many that are only loading the app. */
  maxConnections: integer(4096, 1, 1_000_000),
  /**
   * Open sockets of one address (of one /64 network for IPv6). Mobile networks put hundreds of phones behind one
   * address, so it is generous; it exists so that one machine cannot take all of them.
   */
  maxConnectionsPerAddress: integer(512, 1, 1_000_000),
  /** Milliseconds for the headers of a request and for a TLS hand-shake to arrive. A slow phone needs 2 s, a slow-headers attack needs minutes. */
  headerTimeoutMs: integer(10_000, 100, 120_000),
  /** Milliseconds for a whole request. Bodies have a few KiB; it bounds who dribbles one. */
  requestTimeoutMs: integer(30_000, 100, 600_000),
  /** Milliseconds a plain HTTP socket may stay silent. Browsers keep theirs for the next file; longer only costs memory. */
  idleTimeoutMs: integer(60_000, 100, 600_000),
  /** Bytes of a request's headers. Node's own default, said here so that it does not move. */
  maxHeaderBytes: integer(16 * KiB, 1 * KiB, 1 * MiB),
  /** Bytes of the app, held in memory so that no request touches the disk. A mistaken `appDir` (a home folder) is noticed. */
  maxAppBytes: integer(64 * MiB, 1 * KiB, 2 * GiB),

  // Upgrades to WebSocket

  /** New WebSockets a second of one address, on average. js-libp2p's 5 a second would refuse a classroom behind one router. */
  upgradesPerSecond: integer(20, 1, 100_000),
  /** New WebSockets of one address at once: everybody of one network coming back after the router restarted. */
  upgradeBurst: integer(100, 1, 100_000),
  /** WebSockets in the middle of their libp2p hand-shake, all addresses. js-libp2p's 10 let ten silent sockets lock everybody out. */
  maxPendingUpgrades: integer(512, 1, 100_000),
  /** Milliseconds for a libp2p hand-shake and for the answer to a call. js-libp2p's own; a phone on a slow network needs a few. */
  upgradeTimeoutMs: integer(10_000, 100, 120_000),
  /** Bytes of one WebSocket message. libp2p's noise frames end at 64 KiB; more is not libp2p. */
  maxMessageBytes: integer(1 * MiB, 128 * KiB, 64 * MiB),
  /** Milliseconds between pings of a phone. js-libp2p's 10 s keep a phone's radio awake; 30 s still finds a dead one within a minute. */
  pingIntervalMs: integer(30_000, 1_000, 3_600_000),

  // Relay (circuit relay v2)

  /** Connected phones. An idle one costs about 40 KiB of heap (docs/deploy.md has the measurement). */
  maxPeers: integer(2048, 1, 1_000_000),
  /**
   * Phones that others can reach through this relay. js-libp2p's default of 15 is for a node that relays as a favour; relaying
   * is the purpose here, so every connected phone may have one. A reservation ends with its connection.
   */
  maxReservations: integer(2048, 1, 1_000_000),
  /** Seconds a reservation lasts before the phone renews it. One hour as in go-libp2p; a phone that went is forgotten at once anyway. */
  reservationSeconds: integer(3600, 60, 86_400),
  /**
   * Bytes of one relayed connection, both ways together. 128 KiB, the default of js and go, is enough to agree on a direct
   * connection; but where none comes about (no WebRTC, two NATs that let nothing through) the file itself goes through here.
   * 1 GiB carries an album and a long video; after it the phones connect anew and go on. Finite, so that a forgotten one
   * cannot run up a bill.
   */
  circuitBytes: integer(1 * GiB, 128 * KiB, 1024 * GiB),
  /** Seconds of one relayed connection. An hour for the same reason: 1 GiB at 300 KiB/s, a slow phone's upload. */
  circuitSeconds: integer(3600, 120, 86_400),
  /** Relayed connections in all. Each may hold 2 MiB of what a slow phone does not read: 2 GiB if all of them do at once. */
  maxCircuits: integer(1024, 1, 1_000_000),
  /**
   * Relayed connections asked for from one address (of one /64 network for IPv6). A peer id costs nothing, so the limit for
   * each phone alone would let one machine take all of them; a quarter still serves a school behind one router.
   */
  maxCircuitsPerAddress: integer(256, 1, 1_000_000),
  /** Relayed connections of one phone, in each direction. go-libp2p allows 16; one file shown to a class needs more. */
  maxCircuitsPerPeer: integer(64, 1, 4096),

  ...PUSH_FIELDS,
} satisfies Record<string, Field<unknown>>

export type FieldName = keyof typeof FIELDS

/** What the companion runs with; read-only and complete. Units are in the names: Ms, Seconds, Bytes. */
export type CompanionConfig = { readonly [Name in FieldName]: (typeof FIELDS)[Name]['default'] }

export interface LoadConfigOptions {
  /** Environment variables; those that begin with POCKET_ are read, an unknown one is refused. POCKET_CONFIG names the file. */
  env?: Record<string, string | undefined>
  /** Configuration file; beats POCKET_CONFIG. */
  file?: string
  /** Values from the command line, by field, with the name of the flag. They beat everything. */
  flags?: Partial<Record<FieldName, { flag: string; value: unknown }>>
}

/** Throws ERR_INVALID_ARGUMENT with a sentence that names the field and where it was set. */
export function loadConfig(options: LoadConfigOptions = {}): CompanionConfig {
  const { env = {}, flags = {} } = options
  const file = options.file ?? env.POCKET_CONFIG
  const values: Record<string, unknown> = {}
  for (const name of FIELD_NAMES) values[name] = FIELDS[name].default
  if (file !== undefined) readFile(file, values)
  readEnvironment(env, values)
  for (const name of FIELD_NAMES) {
    const given = flags[name]
    if (given !== undefined) values[name] = accept(name, given.value, given.flag)
  }
  return Object.freeze(values) as unknown as CompanionConfig
}

export function environmentName(name: FieldName): string {
  return `POCKET_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[]

function readFile(path: string, values: Record<string, unknown>): void {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PocketError('ERR_INVALID_ARGUMENT', `The configuration file cannot be read: ${reason}`, { cause })
  }
  const parsed = parseJsonc(content, path)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new PocketError('ERR_INVALID_ARGUMENT', `${path} must hold one object of fields`)
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (!isFieldName(name)) throw new PocketError('ERR_INVALID_ARGUMENT', `${path} has an unknown field "${name}"`)
    values[name] = accept(name, value, `"${name}" in ${path}`)
  }
}

function readEnvironment(env: Record<string, string | undefined>, values: Record<string, unknown>): void {
  const names = new Map(FIELD_NAMES.map((name) => [environmentName(name), name]))
  for (const [variable, content] of Object.entries(env)) {
    if (content === undefined || variable === 'POCKET_CONFIG' || !variable.startsWith('POCKET_')) continue
    const name = names.get(variable)
    if (name === undefined) {
      throw new PocketError(
        'ERR_INVALID_ARGUMENT',
        `The environment variable ${variable} is not a field of the companion`,
      )
    }
    values[name] = accept(name, FIELDS[name].fromText(content), variable)
  }
}

function accept(name: FieldName, value: unknown, source: string): unknown {
  const field: Field<unknown> = FIELDS[name]
  const parsed = field.parse(value)
  if (parsed === undefined) {
    const given = JSON.stringify(value) ?? String(value)
    throw new PocketError('ERR_INVALID_ARGUMENT', `${source} must be ${field.must}, not ${given.slice(0, 80)}`)
  }
  return parsed
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name)
}
