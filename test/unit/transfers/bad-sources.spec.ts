import type { IncomingMessage, ServerResponse } from 'node:http'
import * as dagPb from '@ipld/dag-pb'
import type { Libp2p } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeHeader, encodeSectionHead } from '../../../src/core/car/encode.ts'
import { CAR_TYPE, RAW_TYPE } from '../../../src/core/gateway/request.ts'
import { createHost, createStore, fetchInto, type Store } from '../../support/node/fetching.ts'
import { startGateway, type Behave } from '../../support/node/gateway.ts'
import { randomBytes } from '../../support/node/node.ts'

const MiB = 1024 * 1024
let from: Store
let client: Libp2p & AsyncDisposable
let root: CID
let other: CID
let leaves: CID[]

beforeAll(async () => {
  from = await createStore()
  client = await createHost()
  root = await from.add(randomBytes(20 * MiB))
  other = await from.add(randomBytes(3 * MiB, 2))
  leaves = dagPb.decode(await from.source.getLocal(root)).Links.map(({ Hash }) => Hash)
})
afterAll(async () => client.stop())

async function section(cid: CID, bytes?: Uint8Array): Promise<Uint8Array[]> {
  const block = bytes ?? (await from.source.getLocal(cid))
  return [encodeSectionHead(cid, block.byteLength), block]
}

const send = (response: ServerResponse, ...parts: Uint8Array[]): void => {
  for (const part of parts) response.write(part)
}

/** Answers CARs as `car` does, and single blocks wrongly. */
const carOf =
  (car: (response: ServerResponse, request: IncomingMessage) => Promise<void> | void): Behave =>
  async (request, response) => {
    const isCar = (request.url ?? '').includes('format=car')
    response.writeHead(200, { 'content-type': isCar ? CAR_TYPE : RAW_TYPE })
    if (isCar) await car(response, request)
    else response.end('no')
  }

const LIES: [name: string, behave: Behave, code: string][] = [
  [
    'sends a block that does not match its hash',
    carOf(async (response) => {
      send(response, encodeHeader([root]), ...(await section(root)))
      for (const leaf of leaves) send(response, ...(await section(leaf, randomBytes(1000))))
      response.end()
    }),
    'ERR_BLOCK_HASH_MISMATCH',
  ],
  [
    'sends a block that nobody asked for',
    carOf(async (response) => {
      send(response, encodeHeader([root]), ...(await section(root)), ...(await section(other)))
      response.end()
    }),
    'ERR_INVALID_CAR',
  ],
  ['sends garbage for a CAR', carOf((response) => void response.end(randomBytes(5000))), 'ERR_INVALID_CAR'],
  [
    'announces a block of 3 MiB',
    carOf((response) => {
      send(response, encodeHeader([root]), encodeSectionHead(root, 3 * MiB))
      response.end(randomBytes(3 * MiB))
    }),
    'ERR_BLOCK_TOO_LARGE',
  ],
  [
    'redirects',
    (_request, response) => {
      response.writeHead(302, { location: 'https://example.org/' })
      response.end()
    },
    'ERR_PROTOCOL',
  ],
  [
    'answers with a page',
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      response.end('<!doctype html><title>welcome</title>')
    },
    'ERR_PROTOCOL',
  ],
  [
    'repeats itself for gigabytes',
    carOf(async (response) => {
      const again = Buffer.concat(await section(root))
      send(response, encodeHeader([root]))
      const more = (): void => {
        while (!response.destroyed && response.write(again));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }),
    'ERR_INVALID_CAR',
  ],
  [
    'cuts every answer short',
    carOf(async (response) => {
      send(response, encodeHeader([root]), (await section(root))[0] ?? new Uint8Array())
      response.end()
    }),
    'ERR_INVALID_CAR',
  ],
  ['has it not', (_request, response) => void response.writeHead(404).end(), 'ERR_NOT_FOUND'],
  ['breaks every connection', (request) => void request.socket.destroy(), 'ERR_NOT_FOUND'],
]

describe('a source that', () => {
  it.each(LIES)('%s is dropped, and the file comes from another', async (_what, behave, code) => {
    await using bad = await startGateway(from.source, behave)
    // The other one waits until the bad one has shown what it is.
    const shown = Promise.withResolvers<void>()
    await using good = await startGateway(from.source, async (_request, _response, next) => {
      await shown.promise
      await next()
    })
    const to = await createStore()
    const { sources } = await fetchInto(root, {
      to,
      libp2p: client,
      from: [bad.url, good.url],
      onProgress: ({ sources: told = [] }) => {
        if (told.some(({ id, error }) => id === bad.url && error !== undefined)) shown.resolve()
      },
    })
    expect(sources.get(bad.url)?.error?.code).toBe(code)
    expect(to.blocks.stat().blocks).toBe(21)
    expect(await to.blocks.has(other)).toBe(false)
  })

  it.each(LIES.filter(([what, , code]) => code !== 'ERR_NOT_FOUND' && !what.startsWith('cuts')))(
    '%s alone is said to',
    async (_what, behave, code) => {
      await using bad = await startGateway(from.source, behave)
      const to = await createStore()
      // At once, not when patience is at its end.
      const fetching = fetchInto(root, { to, libp2p: client, from: [bad.url], patienceMs: 60_000 })
      await expect(fetching).rejects.toMatchObject({ code })
    },
  )

  it('knows nothing of entity-bytes is asked block by block', async () => {
    await using old = await startGateway(from.source, async (request, _response, next) => {
      request.url = (request.url ?? '').replace(/&dag-scope=entity&entity-bytes=[^&]*/, '&dag-scope=all')
      await next()
    })
    const to = await createStore()
    await to.blocks.put(root, await from.source.getLocal(root))
    for (const leaf of leaves.slice(0, 10)) await to.blocks.put(leaf, await from.source.getLocal(leaf))
    const { sources } = await fetchInto(root, { to, libp2p: client, from: [old.url] })
    expect(sources.get(old.url)).toMatchObject({ bytes: 10 * MiB, state: 'idle' })
    expect(to.blocks.stat().blocks).toBe(21)
  })
})

it.each(['http://example.org', 'ftp://example.org', 'https://me:secret@example.org', 'nonsense', 'http://192.168.1.2'])(
  '%s is no gateway',
  async (address) => {
    const to = await createStore()
    await expect(fetchInto(root, { to, libp2p: client, from: [address] })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    })
  },
)
