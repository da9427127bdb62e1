import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { nodeLinks } from '../../../src/core/repo/node-links.ts'

const digest = await sha256.digest(new Uint8Array([1]))
const leaf = CID.createV1(raw.code, digest)
const node = CID.createV1(dagPb.code, digest)
const targets = [leaf, node, CID.createV0(digest), CID.createV1(raw.code, await sha512.digest(new Uint8Array([2])))]
const nodes = [
  { Links: [] },
  { Links: [], Data: new Uint8Array(300) },
  { Links: targets.map((Hash) => ({ Hash })) },
  { Links: targets.map((Hash) => ({ Hash, Tsize: 2 ** 53 - 1 })), Data: new Uint8Array([8, 2]) },
  { Links: targets.map((Hash, at) => ({ Hash, Name: 'ü'.repeat(at * 50), Tsize: at })), Data: new Uint8Array(0) },
]

describe('the links of a node', () => {
  it.each(nodes)('are those that the decoder finds (%#)', (value) => {
    const bytes = dagPb.encode(value)
    expect(asRead(bytes)).toEqual(asDecoded(bytes))
    expect(nodeLinks(node, bytes).leaves).toHaveLength(value.Links.length / targets.length)
  })

  it('are the same for whatever the decoder takes, and none for what it refuses', () => {
    let taken = 0
    for (const value of nodes) {
      const bytes = dagPb.encode(value)
      for (let at = 0; at <= Math.min(bytes.length, 400); at++) {
        const damaged = [bytes.slice(0, at)]
        for (const byte of [0, 8, 0x0a, 0x12, 0x18, 0x24, 0x7f, 0x80, 0xff]) damaged.push(changed(bytes, at, byte))
        for (const one of damaged) {
          const decoded = asDecoded(one)
          expect(asRead(one)).toEqual(decoded)
          if (decoded !== 'refused') taken++
        }
      }
    }
    expect(taken).toBeGreaterThan(100)
  })
})

function changed(bytes: Uint8Array, at: number, byte: number): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice()
  if (at < copy.length) copy[at] = byte
  return copy
}

function asRead(bytes: Uint8Array): string[] | string {
  try {
    const { leaves, others } = nodeLinks(node, bytes)
    return [...leaves, ...others.map((cid) => cid.multihash.bytes)].map(String).sort()
  } catch {
    return 'refused'
  }
}

function asDecoded(bytes: Uint8Array): string[] | string {
  try {
    return dagPb
      .decode(bytes)
      .Links.map(({ Hash }) => String(Hash.multihash.bytes))
      .sort()
  } catch {
    return 'refused'
  }
}
