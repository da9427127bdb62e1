import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import { walkHeld } from '../../../src/core/repo/walk-held.ts'
import { randomBlock } from '../../support/storage/blocks.ts'

it('lets the event loop turn while nodes that are all there at once are walked', async () => {
  const leaf = await randomBlock()
  const nodes = new Map<string, Uint8Array>()
  for (let at = 0; at < 20; at++) {
    const bytes = dagPb.encode({ Links: [{ Hash: leaf.cid, Tsize: at }] })
    nodes.set(CID.createV1(dagPb.code, await sha256.digest(bytes)).toString(), bytes)
  }
  let turns = 0
  let timer = setTimeout(function turn() {
    turns++
    timer = setTimeout(turn, 0)
  }, 0)
  let leaves = 0
  await walkHeld(
    [...nodes.keys()].map((cid) => CID.parse(cid)),
    {
      uses: {
        visit: () => 'read',
        visitLeaf() {
          leaves++
          for (const began = performance.now(); performance.now() - began < 10;);
          return true
        },
        setLeaf: () => undefined,
      },
      source: { getLocal: (cid) => Promise.resolve(nodes.get(cid.toString())!) },
      onHole: (_, error) => expect.unreachable(String(error)),
    },
  )
  clearTimeout(timer)
  expect(leaves).toBe(nodes.size)
  expect(turns).toBeGreaterThanOrEqual(5)
})
