import type { CompanionConfig } from '../config.ts'
import type { Handler } from '../web/reply.ts'
import type { Credentials } from './front.ts'

/** TLS for the local network: the authority's files, its pages, and new certificates when addresses change. */
export interface LocalTls {
  readonly credentials: Credentials
  readonly fingerprint: string
  readonly certificatePath: string
  handlers(appUrl: () => string): Handler[]
  /** Calls back with new credentials whenever this machine's addresses are others, or the certificate's end is near. */
  watch(renewed: (credentials: Credentials) => void): void
  unwatch(): void
}

/** How soon a phone can come in after this machine changed its network. Reading the addresses costs 50 µs. */
const LOOK_EVERY_MS = 10_000

type LocalTlsConfig = Pick<CompanionConfig, 'dataDir' | 'localName'>

export async function openLocalTls(
  config: LocalTlsConfig,
  lan: () => string[],
  log: (line: string) => void,
): Promise<LocalTls> {
  // Loaded here and not above: a companion without it should not pay 150 ms and 27 MiB for an X.509 library.
  const { openAuthority } = await import('../authority/authority.ts')
  const { AUTHORITY_PATH, trustHandlers } = await import('../authority/trust-handler.ts')
  const authority = await openAuthority(config.dataDir, { name: config.localName, lan: lan() })
  if (authority.isNew) log(`made a certificate authority, "${authority.name}": each phone must trust it once`)
  let current = await authority.server(lan())
  let timer: NodeJS.Timeout | undefined

  const look = async (renewed: (credentials: Credentials) => void): Promise<void> => {
    const next = await authority.server(lan())
    if (next.cert === current.cert) return
    current = next
    renewed(next)
  }
  return {
    credentials: current,
    fingerprint: authority.fingerprint,
    certificatePath: AUTHORITY_PATH,
    handlers: (appUrl) => trustHandlers(authority, appUrl),
    watch(renewed) {
      timer = setInterval(() => {
        look(renewed).catch((error: unknown) => log(`the certificate could not be renewed: ${String(error)}`))
      }, LOOK_EVERY_MS)
      timer.unref()
    },
    unwatch() {
      clearInterval(timer)
    },
  }
}
