import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, it } from 'vitest'
import { createBlockSource } from '../../../src/core/content/block-source.ts'
import { createReader } from '../../../src/core/content/read.ts'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'

it.each([
  ['DAG-CBOR', 0x71, Uint8Array.of(0xa1, 0x61, 0x61, 1)],
  ['DAG-JSON', 0x0129, new TextEncoder().encode('{"a":1}')],
])('follows no path through %s', async (_, code, bytes) => {
  const blocks = await createBlockstore(createMemoryBlockTable())
  const put = async (codec: number, block: Uint8Array): Promise<CID> => {
    const cid = CID.createV1(codec, await sha256.digest(block))
    await blocks.put(cid, block)
    return cid
  }
  const odd = await put(code, bytes)
  const Data = new UnixFS({ type: 'directory' }).marshal()
  const root = await put(dagPb.code, dagPb.encode({ Data, Links: [{ Name: 'odd', Hash: odd, Tsize: 1 }] }))
  const reader = createReader(createBlockSource({ networked: blocks, local: blocks }))
  expect(String(await reader.resolve(`${root.toString()}/odd`))).toBe(String(odd))
  await expect(reader.resolve(`${root.toString()}/odd/a`)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_CODEC' })
})
