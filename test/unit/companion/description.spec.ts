import { expect, it } from 'vitest'
import { COMPANION_PATH, parseCompanionInfo } from '../../../src/contract/companion-api.ts'
import { descriptionHandlers } from '../../../src/companion/web/description.ts'
import { companion, fixtureSite, phone, relayAddress } from './support.ts'

it('describes itself as the contract says, to any origin', async () => {
  const { port, peerId } = await companion({ appDir: await fixtureSite(), circuitSeconds: 900 })
  const answer = await fetch(`http://127.0.0.1:${port}${COMPANION_PATH}`, {
    headers: { origin: 'https://elsewhere.example' },
  })
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(parseCompanionInfo(await answer.json())).toEqual({
    version: 1,
    peerId,
    multiaddrs: [`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${peerId}`],
    vapidPublicKey: expect.stringMatching(/^B[\w-]{86}$/) as string,
    endpoints: { health: '/healthz', push: '/push', routing: '/routing/v1' },
    limits: { reservations: 2048, reservationSeconds: 3600, circuitBytes: 2 ** 30, circuitSeconds: 900 },
  })
})

it('lets other origins read only', async () => {
  const { port } = await companion()
  const ask = (method: string) => fetch(`http://127.0.0.1:${port}${COMPANION_PATH}`, { method })
  const preflight = await ask('OPTIONS')
  expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET'])
  for (const method of ['PUT', 'POST', 'DELETE']) expect((await ask(method)).status).toBe(405)
})

it('tells phones the public addresses behind a proxy', async () => {
  const announce = ['/dns4/example.org/tcp/443/tls/ws']
  const { port, peerId } = await companion({ announce })
  const info = parseCompanionInfo(await (await fetch(`http://127.0.0.1:${port}${COMPANION_PATH}`)).json())
  expect(info.multiaddrs).toEqual([`${announce[0]}/p2p/${peerId}`])
})

it('says how it is', async () => {
  const running = await companion()
  const ask = () => fetch(`http://127.0.0.1:${running.port}/healthz`)
  const before = await ask()
  expect([before.status, await before.json()]).toEqual([
    200,
    expect.objectContaining({ status: 'ok', peers: 0, reservations: 0 }),
  ])
  const guest = await phone()
  await guest.dial(relayAddress(running))
  expect(await (await ask()).json()).toMatchObject({ status: 'ok', peers: 1 })
})

it('is unhealthy while it starts and stops', async () => {
  const running = await companion()
  const stopped = running.stop()
  expect(running.health().status).toBe('stopping')
  await stopped
  for (const status of ['starting', 'stopping'] as const) {
    const health = { status, uptimeSeconds: 1, peers: 0, reservations: 0 }
    const handlers = descriptionHandlers(
      () => undefined,
      () => health,
    )
    const ask = (path: string) => {
      const request = {
        method: 'GET',
        path,
        headers: {},
        secure: false,
        local: true,
        near: true,
        client: '127.0.0.1',
        body: new Uint8Array(0),
      }
      return handlers.find((handler) => handler.canHandle(request))?.handle(request)
    }
    expect(ask('/healthz')).toMatchObject({ status: 503, body: JSON.stringify(health) })
    expect(ask(COMPANION_PATH)).toMatchObject({ status: 503 })
  }
})
