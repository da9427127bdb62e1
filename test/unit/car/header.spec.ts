import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { decodeItems, encodeRoots } from '../../../src/core/car/header.ts'

const cids = (count: number): Promise<CID[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, i) => CID.createV1(raw.code, await sha256.digest(Uint8Array.of(i)))),
  )

const read = (roots: CID[]): Map<string, unknown> => decodeItems(encodeRoots(roots)) as Map<string, unknown>

describe('the header of a CAR', () => {
  it.each([0, 1, 23, 24, 256, 1000])('is the DAG-CBOR of %i roots', async (count) => {
    const roots = await cids(count)
    expect(encodeRoots(roots)).toEqual(encode({ roots, version: 1 }))
    expect(String(read(roots).get('roots'))).toBe(String(roots))
    expect(read(roots).get('version')).toBe(1)
  })

  it('holds CIDs of version 0, and long ones', async () => {
    const zero = CID.createV0(await sha256.digest(Uint8Array.of(1)))
    const long = CID.createV1(raw.code, Digest.create(0, new Uint8Array(400)))
    expect(encodeRoots([zero, long])).toEqual(encode({ roots: [zero, long], version: 1 }))
    expect(read([zero, long]).get('roots')).toEqual([zero, long])
  })

  it('is read whatever else is in it', async () => {
    const value = { version: 2, roots: [], note: 'ä', more: [{ of: new Uint8Array(300) }, 70_000] }
    const items = decodeItems(encode(value)) as Map<string, unknown>
    expect(items.get('version')).toBe(2)
    expect(items.get('note')).toBe('ä')
    expect(items.get('more')).toEqual([new Map([['of', new Uint8Array(300)]]), 70_000])
  })

  it.each([
    ['nothing', []],
    ['a cut', [0xa2, 0x65, 0x72]],
    ['bytes behind it', [0x01, 0x01]],
    ['a list that never ends', [0x9f, 0x01]],
    ['a count of 2^32 - 1', [0x9a, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a length of 2^64 - 1', [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['lists to any depth', Array.from({ length: 60_000 }, () => 0x9a)],
    ['another tag', [0xc1, 0x01]],
    ['a link that is no CID', [0xd8, 42, 0x42, 0x00, 0x01]],
    ['a link without its zero', [0xd8, 42, 0x41, 0x01]],
    ['text that is no UTF-8', [0x61, 0xff]],
    ['a number with a point', [0xf9, 0x00, 0x00]],
  ])('is refused: %s', (_, bytes) => {
    expect(() => decodeItems(Uint8Array.from(bytes))).toThrow(Error)
  })
})
