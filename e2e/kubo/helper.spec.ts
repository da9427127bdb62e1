import { expect, test } from '@playwright/test'
import { randomFile } from '../support/files.ts'
import { startKubo, type Kubo } from '../support/kubo.ts'

test.describe('the Kubo helper', () => {
  let kubo: Kubo
  test.beforeAll(async () => {
    kubo = await startKubo()
  })
  test.afterAll(() => kubo.stop())

  test('keeps a file and gives it back', async () => {
    const file = randomFile(3 * 1024 * 1024, 'kubo helper')
    const cid = (await kubo.ipfs(['add', '--quieter', '--cid-version=1'], { input: file.buffer })).toString().trim()
    expect(cid).toMatch(/^baf/)
    expect(file.buffer.equals(await kubo.ipfs(['cat', cid]))).toBe(true)
  })

  test('listens on the loopback interface alone, for every transport of a browser', async () => {
    const listening = (await kubo.ipfs(['swarm', 'addrs', 'listen'])).toString().trim().split('\n')
    expect(listening.length).toBeGreaterThanOrEqual(4)
    // `/p2p-circuit` is no socket: it stands for reservations, and the relay client is off.
    for (const address of listening) expect(address).toMatch(/^\/ip4\/127\.0\.0\.1\/|^\/p2p-circuit$/)
    for (const address of Object.values(kubo.multiaddrs)) expect(address).toContain(`/p2p/${kubo.peerId}`)
    expect(await kubo.ipfs(['swarm', 'peers'])).toHaveLength(0)
  })

  test('tells what a failed command said', async () => {
    await expect(kubo.ipfs(['cat', 'bafynonsense'])).rejects.toThrow(/ipfs cat bafynonsense ended with 1: .*invalid/)
  })
})
