import { describe, expect, it } from 'vitest'
import type { ProfileChoice } from '../../../src/contract/node-api.ts'
import { chooseProfile, networkKind, type Facts } from '../../../src/core/connectivity/choose.ts'
import { PROFILES } from '../../../src/core/connectivity/profiles.ts'

const online = { online: true }

describe('the choice of a profile', () => {
  it.each<[ProfileChoice, Facts, string]>([
    ['auto', online, 'full default'],
    ['auto', { online: false }, 'offline no-network'],
    ['auto', { ...online, connection: { type: 'wifi', effectiveType: '4g', rtt: 50 } }, 'full default'],
    ['auto', { ...online, connection: { type: 'ethernet' } }, 'full default'],
    ['auto', { ...online, connection: { type: 'cellular', effectiveType: '4g' } }, 'saver metered'],
    ['auto', { ...online, connection: { type: 'bluetooth' } }, 'saver metered'],
    ['auto', { ...online, connection: { type: 'wifi', saveData: true } }, 'saver save-data'],
    ['auto', { ...online, connection: { effectiveType: '2g' } }, 'saver slow'],
    ['auto', { ...online, connection: { effectiveType: 'slow-2g' } }, 'saver slow'],
    ['auto', { ...online, connection: { effectiveType: '3g', rtt: 700 } }, 'full default'],
    ['auto', { ...online, connection: { effectiveType: '3g', rtt: 1_500 } }, 'saver slow'],
    ['auto', { ...online, battery: { level: 0.2, charging: false } }, 'saver battery'],
    ['auto', { ...online, battery: { level: 0.21, charging: false } }, 'full default'],
    ['auto', { ...online, battery: { level: 0.05, charging: true } }, 'full default'],
    ['full', { ...online, connection: { type: 'cellular', saveData: true } }, 'full chosen'],
    ['saver', { ...online, connection: { type: 'wifi' } }, 'saver chosen'],
    ['offline', online, 'offline chosen'],
    ['full', { online: false }, 'full chosen'],
  ])('%s with %j is %s', (choice, facts, expected) => {
    const { profile, reason } = chooseProfile(choice, facts)
    expect(`${profile} ${reason}`).toBe(expected)
  })

  it.each([
    ['wifi', 'wifi'],
    ['cellular', 'cellular'],
    ['ethernet', 'ethernet'],
    ['bluetooth', 'cellular'],
    ['wimax', 'unknown'],
    ['none', 'unknown'],
    [undefined, 'unknown'],
  ])('a network of type %s is %s', (type, kind) => {
    expect(networkKind(type === undefined ? {} : { connection: { type } })).toBe(kind)
  })
})

describe('the table of profiles', () => {
  it('spends less with each step down', () => {
    const { full, saver, wake, offline } = PROFILES
    for (const key of ['connections', 'relays', 'readAhead'] as const) {
      expect(full[key], key).toBeGreaterThan(saver[key])
      expect(saver[key], key).toBeGreaterThanOrEqual(offline[key])
    }
    expect(full.relays).toBeGreaterThanOrEqual(2)
    // libp2p refuses a limit of none.
    for (const { connections } of [full, saver, wake, offline]) expect(connections).toBeGreaterThan(0)
    expect([full, saver, wake, offline].map(({ serves }) => serves)).toEqual([true, true, false, false])
    expect([full, saver, wake, offline].map(({ background }) => background)).toEqual([true, false, true, false])
  })
})
