import { afterEach, describe, expect, it } from 'vitest'
import { createRpcClient } from '../../../src/rpc/client.ts'
import { serveRpc } from '../../../src/rpc/server.ts'
import { splitPort } from '../../../src/rpc/split-port.ts'
import { PORTS } from './ports.ts'

describe.each(Object.entries(PORTS))('a split %s', (_name, createPorts) => {
  const ends: { close(): void }[] = []
  afterEach(() => {
    for (const end of ends.splice(0)) end.close()
  })

  it('carries calls and other messages side by side', async () => {
    const [near, far] = createPorts().map(splitPort) as [ReturnType<typeof splitPort>, ReturnType<typeof splitPort>]
    const heard: unknown[] = []
    far.control.onmessage = ({ data }) => void heard.push(data)
    const server = serveRpc(far.rpc, { echo: { kind: 'unary', handle: async (params) => params } })
    const client = createRpcClient<{ echo: { kind: 'unary'; params: number; result: number } }>(near.rpc)
    ends.push(client, server)
    near.control.postMessage({ type: 'one' })
    near.control.postMessage('garbage')
    expect(await client.call('echo', 7)).toBe(7)
    expect(heard).toEqual([{ type: 'one' }, 'garbage'])
  })

  it('keeps what comes before anyone listens', async () => {
    const [near, far] = createPorts()
    const split = splitPort(far)
    ends.push(near, split.control)
    near.postMessage({ t: 'early' })
    near.postMessage({ type: 'early' })
    near.postMessage({ type: 'late' })
    const heard = await new Promise((resolve) => {
      const control: unknown[] = []
      split.control.onmessage = ({ data }) => {
        control.push(data)
        if (control.length === 2) split.rpc.onmessage = (event) => resolve([...control, event.data])
      }
    })
    expect(heard).toEqual([{ type: 'early' }, { type: 'late' }, { t: 'early' }])
  })
})
