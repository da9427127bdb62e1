/** @libp2p/webrtc as it is published, in shared workers, on WebRTC that this page lends; signalled through a relay here. */
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Gate } from '../gate.ts'
import { lendTo, type CountedLending } from '../lend-to.ts'
import { portTransport, RELAY_ADDR } from './port-transport.ts'
import type { NodeAnswer, NodeRequest } from './protocol.ts'

/** A node in a worker. */
class WorkerNode {
  addrs: string[] = []
  readonly #port: MessagePort
  readonly #waiting = new Map<number, (answer: NodeAnswer) => void>()
  #nextId = 0

  constructor(onRelay: (port: MessagePort) => void) {
    const worker = new SharedWorker(new URL('./node-scope.ts', import.meta.url), {
      type: 'module',
      name: crypto.randomUUID(),
    })
    worker.onerror = (event) => {
      for (const settle of this.#waiting.values()) settle({ type: 'failed', error: `worker: ${event.message}` })
    }
    this.#port = worker.port
    this.#port.onmessage = ({ data, ports }: MessageEvent<(NodeAnswer & { id: number }) | { type: 'relay' }>) => {
      if (data.type === 'relay') return onRelay(ports[0] as MessagePort)
      this.#waiting.get(data.id)?.(data)
      this.#waiting.delete(data.id)
    }
  }

  get peer(): string {
    return this.addr.split('/').at(-1) ?? ''
  }

  /** For dialling over WebRTC. */
  get addr(): string {
    return this.addrs.find((addr) => addr.includes('/webrtc/')) ?? ''
  }

  ask(request: NodeRequest, transfer: Transferable[] = []): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer.type === 'answer') resolve(answer.value)
        else reject(Object.assign(new Error(answer.error), { code: answer.code }))
      })
      this.#port.postMessage({ ...request, id }, transfer)
    })
  }

  /** A page that lends to this node: this one, over a port that can be shut. */
  async lend(): Promise<{ lending: CountedLending; page: Gate }> {
    const { port1, port2 } = new MessageChannel()
    const page = new Gate(port1)
    const lending = await lendTo(page)
    await Promise.all([this.ask({ type: 'lend', port: port2 }, [port2]), page.heard])
    return { lending, page }
  }
}

let relay: Libp2p
let accept: (port: MessagePort) => void
let dialler: WorkerNode
let listener: WorkerNode
const lendings: CountedLending[] = []

beforeAll(async () => {
  relay = await createLibp2p({
    addresses: { listen: [RELAY_ADDR.toString()] },
    transports: [portTransport({ onListening: (take) => (accept = take) })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: { identify: identify(), relay: circuitRelayServer({ reservations: { maxReservations: 100 } }) },
  })
  const [addr = ''] = relay.getMultiaddrs().map(String)
  const nodes = ([dialler, listener] = [new WorkerNode((port) => accept(port)), new WorkerNode((port) => accept(port))])
  for (const node of nodes) {
    lendings.push((await node.lend()).lending)
    node.addrs = (await node.ask({ type: 'start', relay: addr, listen: true })) as string[]
  }
})
afterAll(async () => {
  for (const lending of lendings) lending.close()
  await relay.stop()
})

it('connects through the relay, and carries megabytes both ways', async () => {
  await dialler.ask({ type: 'dial', addr: listener.addr, timeout: 10_000 })
  expect(await dialler.ask({ type: 'echo', peer: listener.peer, size: 4 * 1024 * 1024 })).toBe(true)
  await dialler.ask({ type: 'hangUp', peer: listener.peer })
})

it('dials sixty times in a row, none of which hangs', async () => {
  for (let n = 0; n < 60; n++) {
    await dialler.ask({ type: 'dial', addr: listener.addr, timeout: 5_000 })
    await dialler.ask({ type: 'hangUp', peer: listener.peer })
  }
})

it('loses its connections with their page at once, and dials again through another', async () => {
  const { lending } = await dialler.lend()
  await dialler.ask({ type: 'dial', addr: listener.addr, timeout: 5_000 })
  expect(lending.connections()).toBe(1)
  const echo = dialler.ask({ type: 'echo', peer: listener.peer, size: 64 * 1024 * 1024 })
  const lost = performance.now()
  lending.close()
  await expect(echo).rejects.toThrow()
  await dialler.ask({ type: 'alone' })
  expect(performance.now() - lost).toBeLessThan(500)
  await dialler.ask({ type: 'dial', addr: listener.addr, timeout: 5_000 })
  expect(await dialler.ask({ type: 'echo', peer: listener.peer, size: 100_000 })).toBe(true)
  await dialler.ask({ type: 'hangUp', peer: listener.peer })
})

it('fails a dial soon whose page goes or freezes, at whatever moment', async () => {
  for (const after of [0, 5, 10, 20, 30, 40, 50, 70]) {
    const { lending, page } = await dialler.lend()
    const dial = dialler.ask({ type: 'dial', addr: listener.addr, timeout: 20_000 }).catch((error: unknown) => error)
    await expect.poll(() => lending.connections(), { interval: 1 }).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, after))
    const lost = performance.now()
    // A frozen page gives way to the first one, which answers.
    if (after % 20 === 0) page.shut()
    else lending.close()
    await dial
    await dialler.ask({ type: 'alone' })
    expect(performance.now() - lost, `lost after ${after} ms`).toBeLessThan(4_000)
    page.open()
    lending.close()
    await dialler.ask({ type: 'hangUp', peer: listener.peer })
  }
})

it('fails a dial at once where there is no page, on either side', async () => {
  for (const lending of lendings.splice(0)) lending.close()
  const [here, there] = [dialler, listener]
  await here.lend().then(({ lending }) => lendings.push(lending))
  const began = performance.now()
  const toNone = here.ask({ type: 'dial', addr: there.addr, timeout: 20_000 })
  await expect(toNone).rejects.toThrow()
  for (const lending of lendings.splice(0)) lending.close()
  const fromNone = here.ask({ type: 'dial', addr: there.addr, timeout: 20_000 })
  await expect(fromNone).rejects.toMatchObject({ code: 'ERR_NO_WEBRTC' })
  expect(performance.now() - began).toBeLessThan(2_000)
})
