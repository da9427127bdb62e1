import { createHmac } from 'node:crypto'
import { parseWakeRequest } from '../../contract/companion-push.ts'
import { createRate } from '../server/address-limits.ts'
import { jsonBody, tooMany } from '../web/api.ts'
import type { WakeAnswer } from '../../contract/companion-push.ts'
import type { CompanionConfig } from '../config.ts'
import type { WebRequest } from '../web/reply.ts'
import type { Capabilities } from './capabilities.ts'
import type { Deliveries } from './deliveries.ts'

export type WakesConfig = Pick<
  CompanionConfig,
  'wakesPerMinutePerCapability' | 'wakeBurstPerCapability' | 'wakesPerMinutePerPeer' | 'wakeBurstPerPeer'
>

export interface WakesInit {
  capabilities: Capabilities
  deliveries: Deliveries
  config: WakesConfig
  now?: () => number
}

/** What a sender asks for with a capability token, within rates that leave the receiver's phone in peace. @throws PocketError */
export function createWakes({ capabilities, deliveries, config, now = Date.now }: WakesInit) {
  const ofCapability = createRate(config.wakesPerMinutePerCapability / 60, config.wakeBurstPerCapability, now)
  const ofPeer = createRate(config.wakesPerMinutePerPeer / 60, config.wakeBurstPerPeer, now)
  return (request: WebRequest): WakeAnswer => {
    const capability = capabilities.check(request)
    const { topic, ...wake } = parseWakeRequest(jsonBody(request))
    if (!ofCapability.take(capability.id)) {
      throw tooMany('Too many wakes with this capability.', secondsFor(config.wakesPerMinutePerCapability))
    }
    if (!ofPeer.take(capability.peer)) {
      throw tooMany('Too many wakes of this peer.', secondsFor(config.wakesPerMinutePerPeer))
    }
    const queued = deliveries.add(capability.peer, {
      ...wake,
      ...(topic === undefined ? {} : { topic: hideTopic(capability.id, topic) }),
    })
    return { queued }
  }
}

/** The push service must tell topics apart, and not what or whose they are. 32 characters, as RFC 8030 allows. */
function hideTopic(capability: string, topic: string): string {
  return createHmac('sha256', capability).update(topic).digest().subarray(0, 24).toString('base64url')
}

function secondsFor(perMinute: number): number {
  return Math.ceil(60 / perMinute)
}
