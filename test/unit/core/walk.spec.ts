import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { walkDag } from '../../../src/core/content/walk.ts'

const blocks = new Map<string, Uint8Array>()

async function leaf(text: string): Promise<CID> {
  return store(raw.code, new TextEncoder().encode(text))
}

async function node(links: CID[]): Promise<CID> {
  return store(dagPb.code, dagPb.encode({ Links: links.map((Hash) => ({ Name: '', Hash, Tsize: 1 })) }))
}

async function store(code: number, bytes: Uint8Array): Promise<CID> {
  const cid = CID.create(1, code, await sha256.digest(bytes))
  blocks.set(cid.toString(), bytes)
  return cid
}

const load = async (cid: CID): Promise<Uint8Array | undefined> => blocks.get(cid.toString())

describe('walkDag', () => {
  it('visits blocks in the order of a reader', async () => {
    const leaves = await Promise.all(['a', 'b', 'c', 'd'].map(leaf))
    const left = await node(leaves.slice(0, 2))
    const right = await node(leaves.slice(2))
    const root = await node([left, right])
    const seen: string[] = []
    await walkDag(root, {
      window: 1,
      load: async (cid) => {
        seen.push(cid.toString())
        return load(cid)
      },
    })
    const order = [root, left, leaves[0], leaves[1], right, leaves[2], leaves[3]]
    expect(seen).toEqual(order.map(String))
  })

  it('asks once for a child that is linked thirty thousand times, under two CIDs', async () => {
    const child = await leaf('bomb')
    const root = await node([
      ...Array.from({ length: 30_000 }, () => child),
      CID.create(1, dagPb.code, child.multihash),
    ])
    let loads = 0
    await walkDag(root, {
      window: 16,
      load: async (cid) => {
        loads++
        return load(cid)
      },
    })
    expect(loads).toBe(2)
  })

  it('keeps to its window', async () => {
    const root = await node(await Promise.all(Array.from({ length: 100 }, (_, n) => leaf(`leaf ${n}`))))
    let active = 0
    let most = 0
    await walkDag(root, {
      window: 7,
      load: async (cid) => {
        most = Math.max(most, ++active)
        await new Promise((resolve) => setImmediate(resolve))
        active--
        return load(cid)
      },
    })
    expect(most).toBe(7)
  })

  it('passes over what is not there', async () => {
    const missing = await leaf('missing')
    const root = await node([missing, await leaf('there')])
    blocks.delete(missing.toString())
    await expect(walkDag(root, { window: 4, load })).resolves.toBeUndefined()
  })

  it('refuses a node that does not decode, with a code', async () => {
    const bytes = new TextEncoder().encode('this is not protobuf')
    const root = await node([await store(dagPb.code, bytes)])
    await expect(walkDag(root, { window: 4, load })).rejects.toMatchObject({ code: 'ERR_INVALID_BLOCK' })
  })

  it('stops at the first failure and at an abort', async () => {
    const root = await node(await Promise.all(Array.from({ length: 50 }, (_, n) => leaf(`f ${n}`))))
    let loads = 0
    const failing = walkDag(root, {
      window: 2,
      load: async (cid) => {
        if (++loads === 5) throw new Error('disk')
        return load(cid)
      },
    })
    await expect(failing).rejects.toThrow('disk')
    expect(loads).toBeLessThan(10)
    const abort = new AbortController()
    const aborted = walkDag(root, {
      signal: abort.signal,
      window: 2,
      load: async (cid) => {
        abort.abort()
        return load(cid)
      },
    })
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  })
})
