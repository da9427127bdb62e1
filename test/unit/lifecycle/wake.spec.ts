import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { dropDead, probeTimeout } from '../../../src/core/lifecycle/wake.ts'
import { PING_OPTIONS } from '../../../src/core/network/libp2p.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const base = { transports: [webSockets()], connectionEncrypters: [noise()], streamMuxers: [yamux()] }
const listening = { ...base, addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] } }

/** A way to a port that can be made to swallow everything, as a network does that the phone has left. */
async function startTunnel(to: number) {
  const sockets = new Set<Socket>()
  let dead = false
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => void (dead || into.write(data)))
      from.on('error', () => undefined)
      from.on('close', () => into.destroy())
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    die: () => void (dead = true),
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('connections after a sleep', () => {
  it('stay when they answer, even that they know no ping; those that do not are dropped in time', async () => {
    const [fluent, mute, lost] = await Promise.all([
      createLibp2p({ ...listening, services: { ping: ping() } }),
      createLibp2p(listening),
      createLibp2p({ ...listening, services: { ping: ping() } }),
    ])
    const port = Number(/tcp\/(\d+)/.exec(String(lost.getMultiaddrs()[0]))?.[1])
    const tunnel = await startTunnel(port)
    const dialer = await createLibp2p({ ...base, connectionGater: { denyDialMultiaddr: () => false } })
    try {
      const alive = await dialer.dial(fluent.getMultiaddrs())
      const silent = await dialer.dial(mute.getMultiaddrs())
      const dead = await dialer.dial(multiaddr(`/ip4/127.0.0.1/tcp/${tunnel.port}/ws/p2p/${lost.peerId.toString()}`))
      tunnel.die()
      const began = performance.now()
      expect(await dropDead(dialer.getConnections(), 400)).toBe(1)
      expect(performance.now() - began).toBeLessThan(800)
      expect([alive.status, silent.status]).toEqual(['open', 'open'])
      expect(dead.status).not.toBe('open')
    } finally {
      tunnel.stop()
      for (const node of [dialer, fluent, mute, lost]) await node.stop()
    }
  })

  it('survive that libp2p asks them in the same moment, and that two wakes do', async () => {
    const peer = await createLibp2p({ ...listening, services: { ping: ping(PING_OPTIONS) } })
    const dialer = await createLibp2p({
      ...base,
      connectionGater: { denyDialMultiaddr: () => false },
      connectionMonitor: { pingInterval: 50 },
      services: { ping: ping(PING_OPTIONS) },
    })
    try {
      const connection = await dialer.dial(peer.getMultiaddrs())
      for (let wake = 0; wake < 50; wake++) {
        const both = [dropDead([connection], LIMITS.maxProbeMs), dropDead([connection], LIMITS.maxProbeMs)]
        expect(await Promise.all(both)).toEqual([0, 0])
      }
      expect(connection.status).toBe('open')
    } finally {
      for (const node of [dialer, peer]) await node.stop()
    }
  })

  it('have as long as their network takes, within bounds', () => {
    expect([0, 50, 200, 300, 5_000].map((rtt) => probeTimeout(rtt))).toEqual([
      LIMITS.minProbeMs,
      LIMITS.minProbeMs,
      600,
      900,
      LIMITS.maxProbeMs,
    ])
    expect(Math.round(probeTimeout(undefined))).toBe(767)
  })
})
