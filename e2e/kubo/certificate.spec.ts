import { expect, test } from '../support/fixtures.ts'
import { startKubo } from '../support/kubo.ts'
import { onNode } from '../support/on-node.ts'

/** A multihash of SHA-256 with a digest that no certificate has, as a certhash is written: multibase, base64url. */
const FOREIGN = `u${Buffer.from([0x12, 0x20, ...new Uint8Array(32)]).toString('base64url')}`

test('a certificate other than the one in the address is refused, and the node goes on', async ({ phone }) => {
  const kubo = await startKubo()
  try {
    const { page } = await phone('phone')
    const right = kubo.multiaddrs.webtransport
    const wrong = right.replace(/\/certhash\/[^/]+/g, `/certhash/${FOREIGN}`)
    const dial = (addr: string): Promise<string> =>
      onNode(page, async (node, target) => (await node.dial(target.addr)).transport, { addr })
    await expect(dial(wrong)).rejects.toThrow('ERR_CERTIFICATE_REFUSED')
    expect(await dial(right)).toBe('webtransport')
  } finally {
    await kubo.stop()
  }
})
