/** A way to a peer on the loopback interface that dies as a network does that a phone has left: silently. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Tunnel {
  /** The peer's address, through the tunnel. */
  readonly multiaddr: string
  /** What is open passes nothing any more and is not closed either; new connections are as good as ever. */
  die(): void
  stop(): void
}

/** @param multiaddr `/ip4/127.0.0.1/tcp/<port>/…` */
export async function startTunnel(multiaddr: string): Promise<Tunnel> {
  const port = Number(/\/tcp\/(\d+)/.exec(multiaddr)?.[1])
  const sockets = new Set<Socket>()
  const dead = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => {
        if (dead.has(from)) return
        if (into.write(data)) return
        from.pause()
        into.once('drain', () => from.resume())
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        if (!dead.has(from)) into.destroy()
        sockets.delete(from)
      })
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const own = (server.address() as AddressInfo).port
  return {
    multiaddr: multiaddr.replace(`/tcp/${port}`, `/tcp/${own}`),
    die: () => {
      for (const socket of sockets) dead.add(socket)
    },
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
