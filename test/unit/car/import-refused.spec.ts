import * as dagPb from '@ipld/dag-pb'
import { encode as encodeCbor } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { encodeSectionHead } from '../../../src/core/car/encode.ts'
import {
  car,
  carV2,
  expectNothing,
  folder,
  identity,
  join,
  node,
  ofNode,
  prefixed,
  section,
  streamOf,
  text,
} from '../../support/node/cars.ts'
import { randomBytes, startNode } from '../../support/node/node.ts'

describe('importing a CAR', () => {
  it.each<[string, string, () => Promise<Uint8Array<ArrayBuffer>>]>([
    ['nothing', 'ERR_INVALID_CAR', async () => new Uint8Array()],
    ['garbage', 'ERR_INVALID_CAR', async () => randomBytes(100_000)],
    ['a varint that never ends', 'ERR_INVALID_CAR', async () => new Uint8Array(1000).fill(0x80)],
    ['a header that is no CBOR', 'ERR_INVALID_CAR', async () => join([prefixed(new Uint8Array(50).fill(0xff))])],
    ['a header of a million roots', 'ERR_INVALID_CAR', async () => millionRoots()],
    ['no roots', 'ERR_INVALID_CAR', async () => car([], (await folder()).all)],
    ['a later version', 'ERR_INVALID_CAR', async () => join([prefixed(encodeCbor({ version: 3, roots: [] }))])],
    [
      'an end in the middle of a block',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        return car([root.cid], all).slice(0, -7)
      },
    ],
    [
      'a varint within blocks that never ends',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        return join([car([root.cid], all), new Uint8Array(20).fill(0xff)])
      },
    ],
    [
      'a section larger than any block',
      'ERR_BLOCK_TOO_LARGE',
      async () => {
        const { root, all, one } = await folder()
        return join([car([root.cid], all), encodeSectionHead(one.cid, 2 ** 40)])
      },
    ],
    [
      'a block of wrong bytes',
      'ERR_BLOCK_HASH_MISMATCH',
      async () => {
        const { root, all, one } = await folder()
        return car([root.cid], [...all, { cid: one.cid, bytes: text('other bytes') }])
      },
    ],
    [
      'an identity CID of other bytes',
      'ERR_BLOCK_HASH_MISMATCH',
      async () => {
        const { root, all } = await folder()
        return car([root.cid], [...all, { cid: identity(raw.code, text('a')), bytes: text('b') }])
      },
    ],
    [
      'a codec that is not read',
      'ERR_UNSUPPORTED_CODEC',
      async () => {
        const { root, all } = await folder()
        const bytes = encodeCbor({ a: 1 })
        return car([root.cid], [...all, { cid: CID.createV1(0x71, await sha256.digest(bytes)), bytes }])
      },
    ],
    [
      'a hash that is not known',
      'ERR_UNSUPPORTED_CODEC',
      async () => {
        const { root, all } = await folder()
        const bytes = text('hashed somehow')
        return car([root.cid], [...all, { cid: CID.createV1(raw.code, Digest.create(0x9999, bytes)), bytes }])
      },
    ],
    [
      'a node that is none',
      'ERR_INVALID_BLOCK',
      async () => {
        const bad = await ofNode(new Uint8Array(40).fill(0xff))
        return car([bad.cid], [bad])
      },
    ],
    [
      'a node without UnixFS',
      'ERR_INVALID_BLOCK',
      async () => {
        const bad = await ofNode(dagPb.encode({ Links: [] }))
        return car([bad.cid], [bad])
      },
    ],
    ['version 2 cut before its end', 'ERR_INVALID_CAR', async () => cutVersion2()],
    [
      'version 2 that ends within a section',
      'ERR_INVALID_CAR',
      async () => {
        const { root, all } = await folder()
        const inner = car([root.cid], all)
        return carV2(inner, inner.byteLength - 5)
      },
    ],
    ...['..', '.', '', 'a/b', '../../etc/passwd', 'a\0b', '..\\b'].map(
      (name): [string, string, () => Promise<Uint8Array<ArrayBuffer>>] => [
        `a folder with the name ${JSON.stringify(name)}`,
        'ERR_INVALID_NAME',
        async () => {
          const { one } = await folder()
          const root = await node('directory', [{ name, cid: one.cid, size: 3000 }])
          return car([root.cid], [root, one])
        },
      ],
    ),
  ])('refuses %s, and nothing of it stays', async (_what, code, make) => {
    await using host = await startNode()
    const bytes = await make()
    await expect(host.car.import(bytes)).rejects.toMatchObject({ code })
    await expectNothing(host)
    await expect(host.car.import(streamOf(bytes))).rejects.toMatchObject({ code })
    await expectNothing(host)
  })
})

async function cutVersion2(): Promise<Uint8Array<ArrayBuffer>> {
  const { root, all, two } = await folder()
  const whole = carV2(car([root.cid], all))
  // Exactly one section too little: only the size in the header tells.
  return whole.slice(0, whole.byteLength - 100 - section(two).byteLength)
}

async function millionRoots(): Promise<Uint8Array<ArrayBuffer>> {
  const { one } = await folder()
  const one41 = encodeCbor(one.cid)
  const roots = new Uint8Array(one41.byteLength * 1_000_000)
  for (let at = 0; at < roots.length; at += one41.byteLength) roots.set(one41, at)
  const head = join([
    Uint8Array.of(0xa2, 0x65, ...text('roots'), 0x9a, 0x00, 0x0f, 0x42, 0x40),
    roots,
    Uint8Array.of(0x67, ...text('version'), 1),
  ])
  return join([prefixed(head)])
}
