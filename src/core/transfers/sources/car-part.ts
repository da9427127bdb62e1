import * as dagPb from '@ipld/dag-pb'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../../shared/errors.ts'
import { LIMITS } from '../../../shared/limits.ts'
import { readCar } from '../../car/decode.ts'
import { inlinedBytes } from '../../content/cids.ts'
import { keyOf } from '../../content/walk.ts'
import { linksWithin, sizeOfPart, type Part, type Place } from './part.ts'
import type { Sink } from './sink.ts'

/**
 * Reads a CAR of a part. Every block must be linked from one before it, so that nothing is stored that was not asked for,
 * and comes once.
 * @throws PocketError ERR_INVALID_CAR, ERR_BLOCK_TOO_LARGE, ERR_BLOCK_HASH_MISMATCH when it is not what was asked for;
 * ERR_LIMIT_EXCEEDED when the part is larger than its maker said; ERR_INVALID_BLOCK for a verified node that does not
 * decode; what the body throws; storage codes
 */
export async function bringCar(body: AsyncIterable<Uint8Array>, part: Part, sink: Sink): Promise<void> {
  // A part may be larger than its maker said, but not for ever.
  const limit = Math.max(LIMITS.maxCarBytes, 2 * Math.min(sizeOfPart(part), LIMITS.maxCarBytes))
  const expected = new Map<string, Place>()
  const seen = new Set<string>()
  const expect = (places: Place[]): void => {
    for (const place of places) if (!seen.has(keyOf(place.cid))) expected.set(keyOf(place.cid), place)
    if (expected.size > LIMITS.maxCarLinks) throw tooLarge(part)
  }
  expect([{ cid: part.root, start: 0 }])
  const nodes: Uint8Array[] = []
  let kept = 0
  let total = 0
  let repeats = 0
  const car = await readCar(body)
  try {
    for await (const { cid, bytes } of car.blocks) {
      total += bytes.byteLength
      if (total > limit) throw tooLarge(part)
      if (inlinedBytes(cid) !== undefined) continue
      const key = keyOf(cid)
      const place = expected.get(key)
      if (place === undefined) {
        // `dups=y` of a peer that knows no other; each costs it more than this node.
        if (seen.has(key) && ++repeats <= LIMITS.maxCarRepeats) continue
        throw foreign(
          cid,
          nodes.some((node) => links(node).some(({ Hash }) => keyOf(Hash) === key)),
        )
      }
      expected.delete(key)
      seen.add(key)
      await sink.take(place.cid, bytes)
      if (cid.code !== dagPb.code) continue
      expect(linksWithin(part, place, bytes))
      kept += bytes.byteLength
      if (part.kind === 'range' && kept <= LIMITS.maxWindowNodes) nodes.push(bytes)
    }
  } finally {
    // What is good of a CAR that is cut or goes wrong is kept.
    await sink.end()
  }
}

const links = (node: Uint8Array): dagPb.PBLink[] => dagPb.decode(node).Links

/** `outside`: it is of the file, though not of the range that was asked for. */
function foreign(cid: CID, outside: boolean): PocketError {
  return new PocketError('ERR_INVALID_CAR', 'It holds a block that was not asked for', {
    detail: { cid: cid.toString(), outside },
  })
}

function tooLarge({ root }: Part): PocketError {
  return new PocketError('ERR_LIMIT_EXCEEDED', 'A part is larger than the links to it say', {
    detail: { cid: root.toString() },
  })
}
