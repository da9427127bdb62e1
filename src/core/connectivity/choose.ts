import type { NetworkKind, ProfileChoice, ProfileName, ProfileState } from '../../contract/node-api.ts'
import type { PhoneState } from '../ports.ts'
import { LOW_BATTERY, SLOW_RTT_MS, SLOW_TYPES } from './profiles.ts'

export interface Facts extends Pick<PhoneState, 'connection' | 'battery'> {
  online: boolean
  /** Where more is known of it than `connection` says. */
  kind?: NetworkKind
}

/** The profile for these facts, and why. The person's word counts before everything, the network's before the battery's. */
export function chooseProfile(
  choice: ProfileChoice,
  { online, connection = {}, battery, kind = networkKind({ connection }) }: Facts,
): { profile: ProfileName; reason: ProfileState['reason'] } {
  if (choice !== 'auto') return { profile: choice, reason: 'chosen' }
  if (!online) return { profile: 'offline', reason: 'no-network' }
  const { effectiveType = '', rtt = 0, saveData } = connection
  if (saveData === true) return { profile: 'saver', reason: 'save-data' }
  // Browsers do not say what is metered: of cellular networks most are.
  if (kind === 'cellular') return { profile: 'saver', reason: 'metered' }
  if (SLOW_TYPES.includes(effectiveType) || rtt >= SLOW_RTT_MS) return { profile: 'saver', reason: 'slow' }
  if (battery !== undefined && !battery.charging && battery.level <= LOW_BATTERY)
    return { profile: 'saver', reason: 'battery' }
  return { profile: 'full', reason: 'default' }
}

/**
 * Bluetooth is a tethered phone's cellular network, WiMAX has gone, and the rest is not told. While there is none it is
 * still the one `before`: it may be back in a moment, and nobody is to pay for that.
 */
export function networkKind(
  { connection }: Pick<PhoneState, 'connection'>,
  before: NetworkKind = 'unknown',
): NetworkKind {
  const { type } = connection ?? {}
  if (type === 'wifi' || type === 'cellular' || type === 'ethernet') return type
  if (type === 'none') return before
  return type === 'bluetooth' ? 'cellular' : 'unknown'
}
