import { expect, it } from 'vitest'
import { Receiving } from '../../../src/app/state/receiving.svelte.ts'
import { parseLink } from '../../../src/contract/link.ts'

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

it.each(['50% off.txt', 'why?.txt', 'track #1.mp3', '%41.txt', '%zz', 'a b+c&d=e', 'Ünï.bin'])(
  'asks the node for %j by the name that the file has',
  async (name) => {
    const asked: string[] = []
    const state = {
      ready: Promise.resolve({
        open: async () => ({ via: [] }),
        transfers: { start: async ({ cid }: { cid: string }) => (asked.push(cid), { id: 'one' }) },
      }),
      transfer: () => undefined,
    }
    const path = `${CID}/folder/${encodeURIComponent(name)}`
    for (const url of [`https://pocket.example/#/get/${path}?size=3`, `ipfs://${path}`]) {
      const receiving = new Receiving(state as never, url)
      expect(receiving.failure).toBeUndefined()
      expect(receiving.name).toBe(name)
      expect(parseLink(receiving.path)).toMatchObject({ cid: CID, path: `folder/${name}` })
      await expect.poll(() => asked.splice(0)).toEqual([path])
    }
  },
)
