import { expect, it } from 'vitest'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { storeCar } from '../../../src/core/car/import.ts'

const blocks = await Promise.all(
  [1, 2, 3].map(async (n) => {
    const bytes = Uint8Array.of(n)
    return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
  }),
)

/** A CAR of three blocks, each of them twice. */
async function* car(): AsyncGenerator<Uint8Array> {
  yield encodeHeader([blocks[0]!.cid])
  for (const { cid, bytes } of [...blocks, ...blocks]) {
    yield encodeSectionHead(cid, bytes.byteLength)
    yield bytes
  }
}

async function store(maxBlocks: number): Promise<number> {
  let stored = 0
  const options = { signal: new AbortController().signal, onProgress: () => undefined, maxBlocks }
  const { arrived } = await storeCar(car(), { put: async () => stored++ }, options)
  return arrived.size
}

it('a CAR of more blocks than can be kept in mind is refused', async () => {
  expect(await store(3)).toBe(3)
  await expect(store(2)).rejects.toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', detail: { limit: 2 } })
})
