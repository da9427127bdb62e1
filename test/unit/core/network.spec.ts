import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { createAddressPolicy } from '../../../src/core/network/address-policy.ts'
import { LIMITS } from '../../../src/shared/limits.ts'
import { isDirect, peerOf } from '../../../src/core/network/peers.ts'
import { startNode, untilStatus } from '../../support/node/node.ts'
import { startRelay } from '../../support/node/relay.ts'

const PEER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

describe('the address policy', () => {
  it.each([
    ['/ip4/192.168.1.7/tcp/4001/ws', true],
    ['/ip4/10.0.0.1/udp/4001/quic-v1/webtransport', true],
    ['/ip4/127.0.0.1/tcp/5001/ws', true],
    ['/ip6/::1/tcp/5001/ws', true],
    ['/ip6/fd00::1/tcp/5001/ws', true],
    ['/dns4/localhost/tcp/8080/ws', true],
    ['/dns4/nas.local/tcp/443/tls/ws', true],
    ['/dns4/relay.example.org/tcp/443/tls/ws', false],
    ['/ip4/93.184.216.34/tcp/443/tls/ws', false],
  ])('%s is denied unless a person asked: %s', (addr, denied) => {
    const policy = createAddressPolicy()
    expect(policy.denies(multiaddr(addr))).toBe(denied)
    policy.intend(multiaddr(addr))
    expect(policy.denies(multiaddr(addr))).toBe(false)
  })

  it('allows what is reached through an intended host, and no other port of it', () => {
    const policy = createAddressPolicy()
    policy.intend(multiaddr('/ip4/192.168.1.7/tcp/8080/ws'))
    expect(policy.denies(multiaddr(`/ip4/192.168.1.7/tcp/8080/ws/p2p/${PEER}/p2p-circuit/webrtc/p2p/${PEER}`))).toBe(
      false,
    )
    expect(policy.denies(multiaddr('/ip4/192.168.1.7/tcp/22/ws'))).toBe(true)
  })
})

describe('the address policy, asked for more than it can remember,', () => {
  it('forgets the oldest', () => {
    const policy = createAddressPolicy()
    const addr = (port: number): ReturnType<typeof multiaddr> => multiaddr(`/ip4/192.168.1.7/tcp/${port}/ws`)
    for (let port = 1; port <= LIMITS.maxIntendedAddrs + 1; port++) policy.intend(addr(port))
    expect(policy.denies(addr(1))).toBe(true)
    expect(policy.denies(addr(2))).toBe(false)
  })
})

describe('addresses', () => {
  it.each([
    [`/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}`, true],
    [`/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}/p2p-circuit/p2p/${PEER}`, false],
    [`/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}/p2p-circuit/webrtc/p2p/${PEER}`, true],
  ])('%s is direct: %s', (addr, direct) => {
    expect(isDirect(multiaddr(addr))).toBe(direct)
  })

  it('name the peer they end at', () => {
    expect(peerOf(multiaddr(`/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}`))?.toString()).toBe(PEER)
    expect(peerOf(multiaddr(`/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}/p2p-circuit`))).toBeUndefined()
    expect(peerOf(multiaddr('/ip4/1.2.3.4/tcp/1/ws'))).toBeUndefined()
  })
})

describe('relays', () => {
  it('are reserved again after a drop, at the same addresses', async () => {
    await using relay = await startRelay()
    await using node = await startNode({ relays: [relay.addr] })
    await untilStatus(node, (status) => status.reachable)
    const before = (await node.id()).multiaddrs
    const [peer] = await node.peers()
    // What a tunnel or the relay's idle time-out does: the connection goes, the relay is there.
    await node.hangUp(peer?.peerId ?? '')
    await untilStatus(node, (status) => status.reachable && status.relays[0]?.state === 'reserved')
    expect((await node.id()).multiaddrs).toEqual(before)
    expect(new Set(before).size).toBe(before.length)
  })

  it('that are set anew replace the old ones at once', async () => {
    await using one = await startRelay()
    await using two = await startRelay()
    await using node = await startNode()
    await node.setRelays([one.addr])
    await untilStatus(node, (status) => status.reachable)
    await node.setRelays([two.addr])
    await untilStatus(node, (status) => status.relays.length === 1 && status.relays[0]?.state === 'reserved')
    expect((await node.id()).multiaddrs.every((addr) => addr.startsWith(two.addr))).toBe(true)
    expect((await node.peers()).map(({ addr }) => addr)).toEqual([two.addr])
  })

  it("of the site stay out of the person's list, and stay in use when it changes", async () => {
    await using site = await startRelay()
    await using own = await startRelay()
    await using node = await startNode({ relays: [site.addr] })
    const origins = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await node.status()).relays.map(({ addr, origin }) => [addr, origin]))
    // The site's own address in the person's list does not make it theirs.
    await node.setRelays([own.addr, site.addr])
    expect(await origins()).toEqual({ [site.addr]: 'site', [own.addr]: 'own' })
    node.offerRelays([own.addr])
    expect(await origins()).toEqual({ [site.addr]: 'site', [own.addr]: 'site' })
    await node.setRelays([])
    await untilStatus(node, ({ relays }) => relays.length === 2 && relays.every(({ state }) => state === 'reserved'))
    expect(await origins()).toEqual({ [site.addr]: 'site', [own.addr]: 'site' })
  })

  it('are not taken for held because another address of the same peer is', async () => {
    await using relay = await startRelay()
    await using node = await startNode({ relays: [relay.addr] })
    await untilStatus(node, (status) => status.reachable)
    const port = Number(/tcp\/(\d+)/.exec(relay.addr)?.[1])
    const elsewhere = relay.addr.replace(`/tcp/${port}/`, `/tcp/${port === 9 ? 10 : 9}/`)
    await node.setRelays([elsewhere])
    await untilStatus(node, ({ relays }) => relays.some(({ addr, state }) => addr === elsewhere && state === 'failed'))
    expect((await node.status()).relays.find(({ addr }) => addr === relay.addr)?.state).toBe('reserved')
  })

  it.each(['/ip4/1.2.3.4/tcp/1', `/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}/p2p-circuit`, '/dns4/relay.example'])(
    '%s is none that a browser can dial',
    async (addr) => {
      await using node = await startNode()
      await expect(node.setRelays([addr])).rejects.toMatchObject({ code: 'ERR_INVALID_MULTIADDR' })
      expect((await node.status()).relays).toEqual([])
    },
  )

  it('that refuse are told, and the node stays usable', async () => {
    await using relay = await startRelay({ maxReservations: 0 })
    await using node = await startNode({ relays: [relay.addr] })
    await untilStatus(node, (status) => status.relays[0]?.state === 'failed')
    expect((await node.status()).relays[0]?.error?.code).toBe('ERR_RELAY_UNREACHABLE')
    expect((await node.add(new TextEncoder().encode('x'))).size).toBe(1)
  })
})
