/** Peers that lie and a network that is not there, by the client API: a stable code, and a node that goes on. */
import { contentSha256, expect, onNode, randomFile, test } from '../support/fixtures.ts'
import { holdNode } from '../support/held-node.ts'
import { folderNode, startHostilePeer, type HostilePeer } from '../support/hostile-peer.ts'
import { freePort } from '../support/process.ts'
import { startUntrustedServer } from '../support/untrusted-server.ts'
import { codeOf, dial, expectUsable, SOMEONE } from '../support/usable.ts'

const MiB = 1024 * 1024

test.describe('a peer that lies', () => {
  let peer: HostilePeer
  test.beforeEach(async () => {
    peer = await startHostilePeer()
  })
  test.afterEach(async () => {
    await peer.stop()
  })

  test('with wrong or too large blocks is not believed', async ({ phone }) => {
    const { page } = await phone('lied-to')
    const large = await peer.give(randomFile(2 * MiB + 1, 'too large').buffer)
    const forged = await peer.give(randomFile(1000, 'forged').buffer)
    peer.giveForged(forged)
    const other = await peer.give(randomFile(1001, 'other').buffer)
    peer.giveOther(other, new Uint8Array(1001))
    const noise = await peer.give(randomFile(1002, 'noise').buffer)
    peer.giveNoise(noise)
    const broken = await peer.give(new Uint8Array([0xff, 0xff, 0xff]), 0x70)
    const honest = randomFile(1003, 'honest')
    const found = await peer.give(honest.buffer)

    const codes = onNode(
      page,
      async (node, { multiaddr, cids }) => {
        await node.dial(multiaddr)
        const ask = (cid: string): Promise<string> =>
          node.pin.add(cid).then(
            () => 'kept',
            (error: unknown) => (error as { code: string }).code,
          )
        return Promise.all(cids.map(ask))
      },
      { multiaddr: peer.multiaddr, cids: [large, forged, other, noise, broken] },
    )
    // At once; the others are looked for until patience ends, since somebody else may have them.
    await expect.poll(() => peer.asked).toEqual(expect.arrayContaining([large, forged, other, noise, broken]))
    expect(await contentSha256(page, found)).toBe(honest.sha256)
    expect(await codes).toEqual([
      'ERR_BLOCK_TOO_LARGE',
      'ERR_BLOCK_HASH_MISMATCH',
      'ERR_NOT_FOUND',
      'ERR_NOT_FOUND',
      'ERR_INVALID_BLOCK',
    ])
    await expectUsable(page)
  })

  test('does not keep an honest peer’s block away', async ({ phone }) => {
    const { page } = await phone('between')
    const honest = await startHostilePeer()
    try {
      const file = randomFile(5000, 'both have it')
      const cid = await honest.give(file.buffer)
      peer.giveForged(cid)
      const held = await holdNode(page)
      await held.run(async ({ node }, { addr }) => void (await node.dial(addr)), { addr: peer.multiaddr })
      await held.run(({ node, start }, target) => start('fetch', node.pin.add(target.cid)), { cid })
      await expect.poll(() => peer.asked).toContain(cid)
      await held.run(async ({ node }, { addr }) => void (await node.dial(addr)), { addr: honest.multiaddr })
      await held.job('fetch')
      expect(await contentSha256(page, cid)).toBe(file.sha256)
    } finally {
      await honest.stop()
    }
  })

  test('about the names in a folder breaks no listing', async ({ phone }) => {
    const { page } = await phone('names')
    const names = ['..', '.', '', 'a/b', '\0', 'x'.repeat(5000), '\u202efdp.exe', 'fine']
    const { bytes, codec, leaf } = await folderNode(names)
    await peer.give(leaf)
    const cid = await peer.give(bytes, codec)
    const listed = await onNode(
      page,
      async (node, target) => {
        await node.dial(target.multiaddr)
        await node.pin.add(target.cid, { name: '..' })
        const found: string[] = []
        for await (const { name } of node.ls(target.cid)) found.push(name)
        return found
      },
      { multiaddr: peer.multiaddr, cid },
    )
    expect(listed).toContain('fine')
    await expectUsable(page, ['..'])
  })
})

test.describe('the network', () => {
  test('without the relay that was named: the status says so with a code', async ({ phone }) => {
    const { page } = await phone('no-relay')
    const addr = `/ip4/127.0.0.1/tcp/${await freePort()}/ws/p2p/${SOMEONE}`
    await onNode(page, (node, argument) => node.setRelays([argument.addr]), { addr })
    const relay = (): Promise<object | undefined> =>
      onNode(page, async (node, argument) => (await node.status()).relays.find((each) => each.addr === argument.addr), {
        addr,
      })
    await expect
      .poll(relay, { timeout: 20_000 })
      .toMatchObject({ state: 'failed', error: { code: 'ERR_RELAY_UNREACHABLE' } })
    await expectUsable(page)
    await onNode(page, (node) => node.setRelays([]))
    expect(await relay()).toBeUndefined()
  })

  test('with a certificate that the browser refuses', async ({ phone }) => {
    const { page } = await phone('refused')
    const server = await startUntrustedServer()
    try {
      const addr = `/dns4/localhost/tcp/${server.port}/tls/ws/p2p/${SOMEONE}`
      // A browser does not say why a WebSocket failed: the code for sure is that of a failed dial.
      expect(await codeOf(dial(page, addr))).toBe('ERR_DIAL_FAILED')
      expect(server.refusals()).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
    await expectUsable(page)
  })

  test('without WebRTC: a code for who asks for it, the relay for the rest', async ({ phone }) => {
    const { page } = await phone('no-webrtc', {
      initScript: () => void Reflect.deleteProperty(globalThis, 'RTCPeerConnection'),
    })
    const status = await onNode(page, (node) => node.status())
    expect(status.webrtc).toBe('unsupported')
    expect(await codeOf(dial(page, `/webrtc/p2p/${SOMEONE}`))).toBe('ERR_NO_WEBRTC')
    await expectUsable(page)
  })
})
