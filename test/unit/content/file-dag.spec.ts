import { importer } from 'ipfs-unixfs-importer'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { expect, it } from 'vitest'
import { FileDagBuilder, leafDag, rawCidOf } from '../../../src/core/content/file-dag.ts'
import { createBlockstore, createMemoryBlockTable } from '../../../src/core/storage/index.ts'
import { randomBytes } from '../../support/node/node.ts'

it.each([1, 2, 3, 4, 9, 10, 12, 27, 28, 80, 82])(
  'builds the balanced DAG of the importer for %d leaves',
  async (count) => {
    const content = randomBytes(count * 10 - 3)
    const theirs = await createBlockstore(createMemoryBlockTable())
    let expected = ''
    const options = { profile: 'unixfs-v1-2025', chunker: fixedSize({ chunkSize: 10 }) } as const
    const layout = balanced({ maxChildrenPerNode: 3 })
    for await (const { cid } of importer([{ content }], theirs, { ...options, layout })) expected = cid.toString()
    const builder = new FileDagBuilder(await createBlockstore(createMemoryBlockTable()), 3)
    for (let at = 0; at < content.length; at += 10) {
      const leaf = content.subarray(at, at + 10)
      await builder.add(leafDag(await rawCidOf(leaf), leaf.length))
    }
    const dag = await builder.finish()
    expect(dag?.cid.toString()).toBe(expected)
    expect(dag?.size).toBe(content.length)
  },
)
