import { COMPANION_PATH } from '../../contract/companion-api.ts'
import { jsonReply, textReply } from './reply.ts'
import type { Handler } from './reply.ts'
import type { CompanionInfo } from '../../contract/companion-api.ts'

export const HEALTH_PATH = '/healthz'

/** Any origin may ask who the companion is: it is how an app that is hosted elsewhere finds its relay. */
const FROM_ANYWHERE = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET',
  'cross-origin-resource-policy': 'cross-origin',
}

export type HealthState = 'starting' | 'ok' | 'stopping'

/** What `/healthz` says: for service managers, proxies and the person at the terminal. */
export interface Health {
  status: HealthState
  uptimeSeconds: number
  peers: number
  reservations: number
}

/** `info` gets whether the asker is on this machine; `undefined` while the relay is not up. */
export function descriptionHandlers(
  info: (local: boolean) => CompanionInfo | undefined,
  health: () => Health,
): Handler[] {
  return [
    {
      canHandle: ({ path }) => path === COMPANION_PATH,
      handle({ method, local }) {
        if (method === 'OPTIONS')
          return { status: 204, headers: { ...FROM_ANYWHERE, 'access-control-max-age': '86400' } }
        if (method !== 'GET' && method !== 'HEAD') {
          return textReply(405, 'This address can only be read.', { allow: 'GET, HEAD, OPTIONS' })
        }
        const found = info(local)
        return found === undefined
          ? textReply(503, 'The companion is not ready yet.', { ...FROM_ANYWHERE, 'retry-after': '1' })
          : jsonReply(200, found, FROM_ANYWHERE)
      },
    },
    {
      canHandle: ({ path, method }) => path === HEALTH_PATH && (method === 'GET' || method === 'HEAD'),
      handle() {
        const state = health()
        return jsonReply(state.status === 'ok' ? 200 : 503, state)
      },
    },
  ]
}
