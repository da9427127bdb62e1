/** A slow line in front of a TCP server of the loopback interface: every byte comes later, and only so many a second. */
import { connect, createServer, type Socket } from 'node:net'

export interface Line {
  /** Of the proxy, on 127.0.0.1. */
  port: number
  close(): void
}

export interface LineOptions {
  /** What every byte takes longer, each way, in ms. */
  delayMs?: number
  /** From the server to the client, all connections together. */
  bytesPerSecond?: number
}

/** Bytes under way at most: 50 ms of 640 MiB/s, and of a slow line what a router keeps of it, in s. */
const BUFFER_BYTES = 32 * 1024 * 1024
const BUFFER_S = 0.25

export async function openLine(port: number, { delayMs = 0, bytesPerSecond = Infinity }: LineOptions): Promise<Line> {
  /** When the line is free again: what several connections bring goes one after another. */
  let freeAt = 0
  const dueDown = (bytes: number): number => {
    freeAt = Math.max(freeAt, performance.now()) + (bytes / bytesPerSecond) * 1000
    return freeAt + delayMs
  }
  const buffer = Math.min(BUFFER_BYTES, BUFFER_S * bytesPerSecond)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    carry(near, far, buffer, () => performance.now() + delayMs)
    carry(far, near, buffer, dueDown)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function carry(from: Socket, to: Socket, buffer: number, due: (bytes: number) => number): void {
  const queue: { at: number; data?: Buffer }[] = []
  let bytes = 0
  let timer: NodeJS.Timeout | undefined
  const pump = (): void => {
    timer = undefined
    for (let next = queue[0]; next !== undefined && next.at <= performance.now(); next = queue[0]) {
      queue.shift()
      if (next.data === undefined) to.end()
      else {
        to.write(next.data)
        bytes -= next.data.byteLength
      }
    }
    if (bytes < buffer) from.resume()
    const next = queue[0]
    if (next !== undefined) timer = setTimeout(pump, Math.max(1, next.at - performance.now()))
  }
  const push = (at: number, data?: Buffer): void => {
    queue.push(data === undefined ? { at } : { at, data })
    bytes += data?.byteLength ?? 0
    if (bytes >= buffer) from.pause()
    timer ??= setTimeout(pump, Math.max(0, at - performance.now()))
  }
  from.on('data', (data) => push(due(data.byteLength), data))
  from.on('end', () => push(due(0)))
  to.on('close', () => clearTimeout(timer))
}
