import { lockDataDir } from './data-lock.ts'
import { loadIdentity } from './identity.ts'
import { startRelay } from './relay/relay.ts'
import { companionAddresses, lanAddresses } from './server/addresses.ts'
import { createFront } from './server/front.ts'
import { createHttpServer } from './server/http-server.ts'
import { hostNames } from './server/host-names.ts'
import { listen } from './server/listen.ts'
import { openLocalTls } from './server/local-tls.ts'
import { createUpgrades } from './server/upgrades.ts'
import { openServices } from './services.ts'
import { HEALTH_PATH, descriptionHandlers } from './web/description.ts'
import { createRouter } from './web/router.ts'
import { siteHandler } from './web/site-handler.ts'
import { loadSite } from './web/site.ts'
import { ROUTING_PATH } from '../contract/companion-api.ts'
import { PUSH_PATH } from '../contract/companion-push.ts'
import type { CompanionInfo } from '../contract/companion-api.ts'
import type { CompanionConfig } from './config.ts'
import type { DataLock } from './data-lock.ts'
import type { Relay } from './relay/relay.ts'
import type { Addresses } from './server/addresses.ts'
import type { Health, HealthState } from './web/description.ts'

/** A running companion: the app and the relay on one port. */
export interface Companion {
  readonly peerId: string
  readonly port: number
  /** Where a person on this machine opens the app. */
  readonly localUrl: string
  /** With `localAuthority`: how phones of the local network get in. */
  readonly network?: {
    /** The app over https; `undefined` while this machine has no network. */
    appUrl(): string | undefined
    /** Plain http: how to trust the authority, then on to the app. */
    trustUrl(): string | undefined
    /** SHA-256 of the authority, to compare with what the phone shows. */
    fingerprint: string
  }
  /** Dialable addresses with the peer id, for somebody on this machine (`true`) or elsewhere. */
  multiaddrs(local: boolean): string[]
  health(): Health
  /** Reads `appDir` again, after a new version was put there. */
  reloadApp(): Promise<void>
  /** Ends within two seconds, whatever is open. */
  stop(): Promise<void>
}

export interface CompanionOptions {
  log?: (line: string) => void
  /** This machine's addresses on its networks. */
  lan?: () => string[]
}

/** As it appears to other peers. */
const AGENT = 'pocket-ipfs-companion/0.1.0'
/** libp2p closes connections in good order; what does not answer by then is cut. */
const GRACE_MS = 1_000

/** Throws ERR_PORT_BUSY, ERR_DATA_BUSY, or ERR_INVALID_ARGUMENT with a sentence on what in `config` cannot be had. */
export async function startCompanion(config: CompanionConfig, options: CompanionOptions = {}): Promise<Companion> {
  const lock = await lockDataDir(config.dataDir)
  try {
    return await startLocked(config, options, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function startLocked(config: CompanionConfig, options: CompanionOptions, lock: DataLock): Promise<Companion> {
  const { log = () => undefined, lan = lanAddresses } = options
  const startedAt = performance.now()
  let state: HealthState = 'starting'
  let relay: Relay | undefined
  const read = async () => (config.appDir === '' ? undefined : await loadSite(config.appDir, config.maxAppBytes))
  let site = await read()
  const privateKey = await loadIdentity(config.dataDir)
  const tls = config.localAuthority ? await openLocalTls(config, lan, log) : undefined
  const services = await openServices({ config, privateKey, hostnames: (near) => hostNames(config, lan, near), log })

  const health = (): Health => ({
    status: state,
    uptimeSeconds: Math.round((performance.now() - startedAt) / 1000),
    ...(relay?.stats() ?? { peers: 0, reservations: 0 }),
  })
  const route = createRouter({
    handlers: [
      ...(tls?.handlers(() => networkUrl('https') ?? localUrl) ?? []),
      ...descriptionHandlers((local) => describe(local), health),
      ...services.handlers,
      ...(site === undefined ? [] : [siteHandler(() => site ?? new Map())]),
    ],
    trustedProxies: config.trustedProxies,
    log,
  })
  const upgrades = createUpgrades({ config, relay: () => (state === 'ok' ? relay : undefined) })
  const http = createHttpServer(config, {
    request: (request, response) => void route(request, response),
    upgrade: (request, socket, head) => upgrades.handle(request, socket, head),
  })
  const front = createFront(config, http, tls?.credentials)
  const listening = await listen(config.hosts, config.port, (socket) => front.accept(socket)).catch(
    async (error: unknown) => {
      await services.stop()
      throw error
    },
  )
  const { port, hosts } = listening
  const localUrl = `http://localhost:${port}/`

  const addresses = (): Addresses => companionAddresses({ config, hosts, port, lan })
  const networkUrl = (scheme: 'http' | 'https'): string | undefined => {
    const host = config.localName === '' ? lan()[0] : config.localName
    return host === undefined ? undefined : `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`
  }
  const describe = (local: boolean): CompanionInfo | undefined =>
    relay === undefined
      ? undefined
      : {
          version: 1,
          peerId: relay.peerId,
          multiaddrs: multiaddrs(local),
          vapidPublicKey: services.vapidPublicKey,
          endpoints: {
            health: HEALTH_PATH,
            push: PUSH_PATH,
            routing: ROUTING_PATH,
            ...(tls === undefined ? {} : { ca: tls.certificatePath }),
          },
          limits: {
            reservations: config.maxReservations,
            reservationSeconds: config.reservationSeconds,
            circuitBytes: config.circuitBytes,
            circuitSeconds: config.circuitSeconds,
          },
        }
  const multiaddrs = (local: boolean): string[] => {
    const { local: near, network } = addresses()
    return (local ? [...near, ...network] : network).map(
      (address) => `${address.toString()}/p2p/${relay?.peerId ?? ''}`,
    )
  }

  const closeListener = async (): Promise<void> => {
    const closed = listening.close()
    front.destroyAll()
    // Stops the timer that looks for slow requests; there is no port of its own to close.
    http.close()
    await closed
  }
  try {
    relay = await startRelay({
      config,
      privateKey,
      agent: AGENT,
      addresses: () => [...addresses().network, ...addresses().local],
    })
  } catch (error) {
    await closeListener()
    await services.stop()
    throw error
  }
  const running = relay
  tls?.watch((credentials) => {
    front.setCredentials(credentials)
    running.addressesChanged()
  })
  state = 'ok'

  const stop = async (): Promise<void> => {
    state = 'stopping'
    tls?.unwatch()
    await Promise.race([running.stop(), new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]).catch(
      (error: unknown) => log(`the relay did not stop in good order: ${String(error)}`),
    )
    await closeListener()
    await services.stop()
    await lock.release()
  }
  let stopped: Promise<void> | undefined
  return {
    peerId: running.peerId,
    port,
    localUrl,
    ...(tls === undefined
      ? {}
      : {
          network: {
            appUrl: () => networkUrl('https'),
            trustUrl: () => networkUrl('http'),
            fingerprint: tls.fingerprint,
          },
        }),
    multiaddrs,
    health,
    async reloadApp() {
      site = await read()
    },
    stop: () => (stopped ??= stop()),
  }
}
