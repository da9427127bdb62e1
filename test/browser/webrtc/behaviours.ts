import { CHANNEL_BEHAVIOURS } from './channel-behaviours.ts'
import { CONNECTION_BEHAVIOURS } from './connection-behaviours.ts'
import type { Behaviour } from './kit.ts'
import { MESSAGE_BEHAVIOURS } from './message-behaviours.ts'

/** Everything that is asked of an implementation of WebRTC. */
export const BEHAVIOURS: Record<string, Behaviour[]> = {
  connections: CONNECTION_BEHAVIOURS,
  channels: CHANNEL_BEHAVIOURS,
  messages: MESSAGE_BEHAVIOURS,
}
