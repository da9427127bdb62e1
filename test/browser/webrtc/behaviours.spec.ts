/**
 * One table of behaviours on several implementations: the browser's own, the lent one against the browser's, and the
 * lent one against itself where it is meant to be used, in a SharedWorker that has no WebRTC.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLentWebRtc } from '../../../src/platform/worker/webrtc/index.ts'
import { BEHAVIOURS } from './behaviours.ts'
import type { WorkerRequest } from './shared-scope.ts'
import type { Behaviour, Rtc, Sides } from './kit.ts'
import { lendTo, type CountedLending } from './lend-to.ts'

function everyBehaviour(run: (behaviour: Behaviour) => Promise<void>): void {
  for (const [table, behaviours] of Object.entries(BEHAVIOURS)) {
    describe(table, () => {
      for (const behaviour of behaviours) it(behaviour.name, () => run(behaviour))
    })
  }
}

async function runHere(behaviour: Behaviour, sides: Sides): Promise<void> {
  const opened: RTCPeerConnection[] = []
  try {
    await behaviour.run({ ...sides, opened })
  } finally {
    for (const connection of opened) connection.close()
  }
}

const real: Rtc = window

describe("the browser's own WebRTC", () => {
  everyBehaviour((behaviour) => runHere(behaviour, { local: real, remote: real }))
})

describe("lent WebRTC against the browser's own", () => {
  const scope = {} as Rtc
  let lending: CountedLending

  beforeAll(async () => {
    const lent = createLentWebRtc()
    lent.install(scope)
    const { port1, port2 } = new MessageChannel()
    const available = new Promise<void>((resolve) => lent.watch(resolve))
    lending = await lendTo(port1)
    lent.attach(port2)
    await available
  })
  afterAll(() => lending.close())

  everyBehaviour(async (behaviour) => {
    await runHere(behaviour, { local: scope, remote: real })
    await expect.poll(() => lending.connections()).toBe(0)
  })
})

describe('lent WebRTC in a shared worker, on both sides', () => {
  let worker: SharedWorker
  let lending: CountedLending
  const ask = (request: WorkerRequest, transfer: Transferable[] = []): Promise<unknown> =>
    new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.port.onmessage = ({ data }) => resolve(data)
      worker.port.postMessage(request, transfer)
    })

  beforeAll(async () => {
    worker = new SharedWorker(new URL('./shared-scope.ts', import.meta.url), {
      type: 'module',
      name: crypto.randomUUID(),
    })
    const { port1, port2 } = new MessageChannel()
    lending = await lendTo(port1)
    expect(await ask({ type: 'lend', port: port2 }, [port2])).toBe('available')
  })
  afterAll(() => {
    lending.close()
    worker.port.close()
  })

  everyBehaviour(async ({ name }) => {
    expect(await ask({ type: 'run', name })).toBeUndefined()
    await expect.poll(() => lending.connections()).toBe(0)
  })
})
