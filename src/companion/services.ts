import { createNames } from './names/names.ts'
import { createPeerProof } from './proof/peer-proof.ts'
import { createPush } from './push/push.ts'
import { loadVapid } from './push/vapid.ts'
import { isLoopback } from './server/client-address.ts'
import { publicUrl } from './server/host-names.ts'
import { openStore } from './store/store.ts'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import type { CompanionConfig } from './config.ts'
import type { Handler } from './web/reply.ts'

/** What the companion does for phones that are away: on one store, for peers that prove who they are. */
export interface Services {
  readonly handlers: Handler[]
  /** For `pushManager.subscribe()`. */
  readonly vapidPublicKey: string
  stop(): Promise<void>
}

export interface ServicesInit {
  config: CompanionConfig
  privateKey: Ed25519PrivateKey
  /** The names that a phone may have called, on this machine itself (`true`) or from elsewhere. */
  hostnames: (near: boolean) => readonly string[]
  log: (line: string) => void
}

/** Forgetting what is over can wait; nothing of it is told to anybody before. */
const SWEEP_MS = 3_600_000

/** @throws PocketError ERR_INVALID_ARGUMENT or ERR_STORAGE_VERSION for files that cannot be used */
export async function openServices({ config, privateKey, hostnames, log }: ServicesInit): Promise<Services> {
  const contact = config.pushContact === '' ? publicUrl(config) : config.pushContact
  if (new URL(contact).hostname === 'localhost' && !config.hosts.every(isLoopback)) {
    log(`Push services are told ${contact} as contact, which Apple's is said to refuse: set pushContact.`)
  }
  const vapid = await loadVapid(config.dataDir, contact)
  const store = openStore(config.dataDir)
  const proof = createPeerProof({ privateKey, hostnames })
  const push = createPush({ config, store, proof, vapid, log })
  const names = createNames({ store, config })
  const sweep = (): void => {
    try {
      push.sweep()
      names.sweep()
    } catch (error) {
      log(`what has expired could not be deleted: ${String(error)}`)
    }
  }
  sweep()
  const timer = setInterval(sweep, SWEEP_MS).unref()
  return {
    handlers: [push.handler, names.handler],
    vapidPublicKey: vapid.publicKey,
    async stop() {
      clearInterval(timer)
      await push.stop()
      store.close()
    },
  }
}
