import type { NetworkInfo, PhoneInfo, PhoneState } from '../../../src/core/ports.ts'

/** A phone that is moved by hand. */
export interface MovedPhone {
  phone: PhoneInfo
  network: NetworkInfo
  move: (change: Partial<PhoneState>) => void
  net: (online: boolean) => void
  listeners: () => number
}

export function createMovedPhone(): MovedPhone {
  const phoneListeners = new Set<() => void>()
  const netListeners = new Set<(online: boolean) => void>()
  let phone: PhoneState = { visibility: 'visible' }
  let online = true
  return {
    phone: {
      state: () => phone,
      watch: (listener) => {
        phoneListeners.add(listener)
        return () => void phoneListeners.delete(listener)
      },
    },
    network: {
      online: () => online,
      watch: (listener) => {
        netListeners.add(listener)
        return () => void netListeners.delete(listener)
      },
    },
    move(change) {
      phone = { ...phone, ...change }
      for (const listener of phoneListeners) listener()
    },
    net(value) {
      online = value
      for (const listener of netListeners) listener(value)
    },
    listeners: () => phoneListeners.size + netListeners.size,
  }
}
