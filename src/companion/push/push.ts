import { PUSH_PATH, isId, parseCapabilityRequest, parseSubscriptionRequest } from '../../contract/companion-push.ts'
import { PocketError } from '../../shared/errors.ts'
import { createPeers } from '../store/peers.ts'
import { createApi, jsonBody } from '../web/api.ts'
import { jsonReply } from '../web/reply.ts'
import { createCapabilities } from './capabilities.ts'
import { createDeliveries } from './deliveries.ts'
import { checkEndpoint } from './endpoint.ts'
import { createOffers } from './offers.ts'
import { createPushSender } from './send.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createWakes } from './wakes.ts'
import type { CompanionConfig } from '../config.ts'
import type { PeerProof } from '../proof/peer-proof.ts'
import type { Store } from '../store/store.ts'
import type { ApiRoute } from '../web/api.ts'
import type { Handler, Reply, WebRequest } from '../web/reply.ts'
import type { Vapid } from './vapid.ts'

/** Subscriptions, capabilities, wakes and left offers: `/push`, as src/contract/companion-push.ts describes it. */
export interface Push {
  readonly handler: Handler
  /** Deletes what is over. */
  sweep(): void
  /** Lets what is under way end; what is left is sent after the next start. */
  stop(): Promise<void>
}

export interface PushInit {
  config: CompanionConfig
  store: Store
  proof: PeerProof
  vapid: Vapid
  log: (line: string) => void
}

/** Bytes of a body: a subscription with the longest endpoint has 2 KiB, an offer 2.8 KiB. */
const MAX_BODY_BYTES = 4_096
const OFFER_PATH = /^\/push\/offers\/([^/]+)$/

export function createPush({ config, store, proof, vapid, log }: PushInit): Push {
  const peers = createPeers(store, config)
  const subscriptions = createSubscriptions(store, config)
  const capabilities = createCapabilities(store, config)
  const sender = createPushSender({ allowPrivate: config.pushPrivateEndpoints, timeoutMs: config.pushTimeoutMs })
  const deliveries = createDeliveries({ store, config, vapid, sender, log })
  const wake = createWakes({ capabilities, deliveries, config })
  const offers = createOffers({ store, config, capabilities })

  /** A route for a proven peer. What it answers is JSON; nothing is 204. */
  const proven = (
    method: ApiRoute['method'],
    path: RegExp,
    answer: (peer: string, request: WebRequest, id: string) => object | undefined,
  ): ApiRoute => ({
    method,
    path,
    ...(method === 'PUT' || method === 'POST' ? { maxBodyBytes: MAX_BODY_BYTES } : {}),
    async handle(request, [id = '']): Promise<Reply> {
      const found = await proof.check(request)
      if ('challenge' in found) return found.challenge
      peers.touch(found.peerId)
      const value = answer(found.peerId, request, id)
      return value === undefined ? { status: 204, headers: found.headers } : jsonReply(200, value, found.headers)
    },
  })

  /** Nobody takes a place with what is then refused. */
  const left = <T>(peer: string, { client }: WebRequest, put: () => T): T =>
    store.transaction(() => {
      peers.know(peer, client)
      return put()
    })

  const routes: ApiRoute[] = [
    proven('GET', /^\/push\/subscriptions$/, (peer) => ({ subscriptions: subscriptions.list(peer) })),
    proven('POST', /^\/push\/subscriptions$/, (peer, request) => {
      const subscription = parseSubscriptionRequest(jsonBody(request))
      checkEndpoint(subscription.endpoint, config.pushPrivateEndpoints)
      return left(peer, request, () => subscriptions.put(peer, subscription))
    }),
    proven('DELETE', /^\/push\/subscriptions\/([^/]+)$/, (peer, _request, id) => {
      subscriptions.remove(peer, checkId(id))
      return undefined
    }),
    proven('GET', /^\/push\/capabilities$/, (peer) => ({ capabilities: capabilities.list(peer) })),
    proven('PUT', /^\/push\/capabilities\/([^/]+)$/, (peer, request, id) => {
      const capability = parseCapabilityRequest(jsonBody(request))
      const checked = checkId(id)
      return left(peer, request, () => capabilities.put(peer, checked, capability))
    }),
    proven('DELETE', /^\/push\/capabilities\/([^/]+)$/, (peer, _request, id) => {
      capabilities.remove(peer, checkId(id))
      return undefined
    }),
    proven('DELETE', /^\/push$/, (peer) => {
      peers.forget(peer)
      return undefined
    }),
    {
      method: 'POST',
      path: /^\/push\/wake$/,
      maxBodyBytes: MAX_BODY_BYTES,
      handle: (request) => jsonReply(202, wake(request)),
    },
    proven('GET', /^\/push\/offers$/, (peer) => offers.list(peer)),
    proven('DELETE', OFFER_PATH, (peer, _request, id) => {
      offers.remove(peer, checkId(id))
      return undefined
    }),
    {
      method: 'PUT',
      path: OFFER_PATH,
      maxBodyBytes: MAX_BODY_BYTES,
      handle: (request, [id = '']) => jsonReply(200, offers.leave(request, checkId(id))),
    },
  ]
  return {
    handler: createApi({ prefix: PUSH_PATH, routes, config }),
    sweep() {
      subscriptions.sweep()
      capabilities.sweep()
      offers.sweep()
      peers.sweep()
    },
    async stop() {
      await deliveries.stop()
      sender.close()
    },
  }
}

function checkId(id: string): string {
  if (isId(id)) return id
  throw new PocketError('ERR_INVALID_ARGUMENT', 'An id has 16 bytes in base64url.')
}
