/**
 * A distance between two browsers on one machine: what goes to a candidate of the one passes a socket here and arrives
 * later. Each is told the other's candidates with the ports of this proxy (bench/lib/far-pages.ts), so there is no way past.
 */
import { createSocket, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'

export interface UdpProxy {
  /** Where to send what is meant for `port` of this machine. */
  through(port: number): Promise<{ address: string; port: number }>
  /** Datagrams so far: of a transfer that claims to have passed here there are thousands. */
  passed(): number
  close(): void
}

/** Beyond what the system gives by default: a burst of a whole congestion window must fit. */
const SOCKET_BYTES = 8 * 1024 * 1024
/** Datagrams in one go, then a millisecond's rest: Chromium's own sockets hold about 90, what comes beyond is lost. */
const AT_ONCE = 32

/** `delayMs` each way. */
export function createUdpProxy(delayMs: number): UdpProxy {
  const address = ownAddress()
  const ways = new Map<number, Promise<Socket>>()
  const sockets = new Set<Socket>()
  const queue: { at: number; send: () => void }[] = []
  let timer: NodeJS.Timeout | undefined
  let passed = 0

  const pump = (): void => {
    timer = undefined
    const now = performance.now()
    let due = 0
    for (let next = queue[due]; next !== undefined && next.at <= now && due < AT_ONCE; next = queue[++due]) next.send()
    queue.splice(0, due)
    const next = queue[0]
    if (next !== undefined) timer = setTimeout(pump, Math.max(1, next.at - performance.now()))
  }
  const later = (send: () => void): void => {
    passed++
    queue.push({ at: performance.now() + delayMs, send })
    timer ??= setTimeout(pump, delayMs)
  }
  const bind = async (): Promise<Socket> => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: SOCKET_BYTES, sendBufferSize: SOCKET_BYTES })
    sockets.add(socket)
    // A port that nobody listens at any more says so.
    socket.on('error', () => undefined)
    await new Promise<void>((resolve) => socket.bind(0, address, resolve))
    return socket
  }

  /** A socket for those who send to `port`, and one for each of them that `port` sees them as. */
  async function open(port: number): Promise<Socket> {
    const front = await bind()
    const backs = new Map<number, Promise<Socket>>()
    front.on('message', (data, from) => {
      let back = backs.get(from.port)
      if (back === undefined) {
        back = bind().then((socket) => {
          socket.on('message', (answer) => later(() => front.send(answer, from.port, from.address)))
          return socket
        })
        backs.set(from.port, back)
      }
      void back.then((socket) => later(() => socket.send(data, port, address)))
    })
    return front
  }

  return {
    async through(port) {
      const way = ways.get(port) ?? open(port)
      ways.set(port, way)
      return { address, port: (await way).address().port }
    },
    passed: () => passed,
    close() {
      clearTimeout(timer)
      for (const socket of sockets) socket.close()
    },
  }
}

/** Chromium gathers the machine's addresses, and its loopback only without any. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}
