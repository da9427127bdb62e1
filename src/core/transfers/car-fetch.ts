import * as dagPb from '@ipld/dag-pb'
import type { Connection } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { LIMITS } from '../../shared/limits.ts'
import { readCar } from '../car/decode.ts'
import { decodeNode, keyOf } from '../content/walk.ts'
import { httpGet } from '../gateway/http-client.ts'
import { HTTP_PROTOCOL } from '../gateway/http-head.ts'
import { formatCarRequest } from '../gateway/request.ts'

export interface CarFetch {
  connection: Connection
  root: CID
  /** Bytes of the file, both included; the whole DAG without it. */
  range?: { from: number; to: number }
  signal: AbortSignal
  /** Stores a block after checking its hash; resolves after the commit. */
  put: (cid: CID, bytes: Uint8Array) => Promise<unknown>
  onBlock: (cid: CID, bytes: Uint8Array) => void
}

const CAR_TYPE = 'application/vnd.ipld.car; version=1; order=dfs; dups=n'

/**
 * One CAR from one peer over one stream, as HTTP over libp2p: no round trip a block. Every block must be linked from a
 * block before it, so that a peer can store nothing here that was not asked for.
 * @throws PocketError ERR_NOT_FOUND when the peer does not have it; ERR_INVALID_CAR, ERR_BLOCK_HASH_MISMATCH,
 * ERR_BLOCK_TOO_LARGE, ERR_PROTOCOL when it answers wrongly; storage codes
 */
export async function fetchCar({ connection, root, range, signal, put, onBlock }: CarFetch): Promise<void> {
  // libp2p bounds the negotiation of a stream only where no signal is passed.
  const soon = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.requestHeadTimeoutMs)])
  const stream = await connection.newStream(HTTP_PROTOCOL, { signal: soon, runOnLimitedConnection: true })
  const abort = (): void => stream.abort(new PocketError('ERR_ABORTED'))
  signal.addEventListener('abort', abort, { once: true })
  const stall = stallWatch(() => stream.abort(new PocketError('ERR_TIMEOUT')))
  try {
    const response = await httpGet(stream, formatCarRequest(root, range), CAR_TYPE)
    if (response.status !== 200) {
      throw new PocketError('ERR_NOT_FOUND', undefined, { detail: { status: response.status } })
    }
    await storeBlocks(root, stall.over(response.body), put, onBlock)
  } catch (error) {
    // Whatever it was: this peer must not go on sending.
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
    stall.stop()
  }
}

/** A peer that accepts and then says nothing must not hold a window for ever. */
function stallWatch(onStall: () => void): {
  over(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void>
  stop(): void
} {
  let timer = setTimeout(onStall, LIMITS.stallTimeoutMs)
  const stop = (): void => clearTimeout(timer)
  return {
    stop,
    async *over(bytes) {
      for await (const chunk of bytes) {
        // Storing what came may take its time: only waiting for the peer counts.
        stop()
        yield chunk
        timer = setTimeout(onStall, LIMITS.stallTimeoutMs)
      }
    },
  }
}

async function storeBlocks(
  root: CID,
  body: AsyncIterable<Uint8Array>,
  put: CarFetch['put'],
  onBlock: CarFetch['onBlock'],
): Promise<void> {
  const car = await readCar(body)
  const expected = new Set([keyOf(root)])
  const writing = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  let total = 0
  try {
    for await (const { cid, bytes } of car.blocks) {
      total += bytes.byteLength
      if (total > LIMITS.maxCarBytes) throw new PocketError('ERR_INVALID_CAR', 'It is larger than what was asked for')
      if (!expected.has(keyOf(cid))) {
        throw new PocketError('ERR_INVALID_CAR', 'It holds a block that was not asked for', {
          detail: { cid: cid.toString() },
        })
      }
      const job = put(cid, bytes)
        .then(() => onBlock(cid, bytes))
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => writing.delete(job))
      writing.add(job)
      if (cid.code === dagPb.code) {
        // Its links are believed only when its hash is right.
        await job
        if (failure === undefined) for (const { Hash } of decodeNode(cid, bytes).Links) expected.add(keyOf(Hash))
      }
      if (writing.size >= LIMITS.writeWindow) await Promise.race(writing)
      if (failure !== undefined) break
    }
  } finally {
    await Promise.all(writing)
  }
  if (failure !== undefined) throw failure.error
}
