import { PocketError, isPocketError, toPocketError } from '../../../shared/errors.ts'
import type { CID } from 'multiformats/cid'
import { LIMITS } from '../../../shared/limits.ts'
import { concat } from '../../storage/bytes.ts'
import { CAR_TYPE, formatRequest, LINKS_HEADER, RAW_TYPE, type CarRequest } from '../../gateway/request.ts'
import { bringBlocks } from './block-part.ts'
import { bringCar } from './car-part.ts'
import type { Part } from './part.ts'
import { stallWatch } from './stall.ts'
import type { Job, Source } from './source.ts'

export interface HttpAnswer {
  status: number
  header: (name: string) => string | undefined
  body: AsyncIterable<Uint8Array>
}

/** GET of a path of a trustless gateway. Aborting ends it at any time. Rejects when there is no answer. */
export type Ask = (path: string, accept: string, signal: AbortSignal) => Promise<HttpAnswer>

export interface HttpSourceInit extends Pick<Source, 'kind' | 'id' | 'lanes'> {
  ask: Ask
  stallMs?: number
}

/**
 * A trustless gateway (https://specs.ipfs.tech/http-gateways/trustless-gateway/), whatever its HTTP runs on. What of CARs
 * it does not know is asked for block by block.
 */
export function createHttpSource({ kind, id, lanes, ask, stallMs = LIMITS.stallTimeoutMs }: HttpSourceInit): Source {
  /** Whether it answers a few children of a node: only this project's nodes do. */
  let links = true
  /** Whether it heeds `entity-bytes`. */
  let ranges = true

  /** One request, its body watched for stalls; the request ends with `use`. */
  async function request<T>(
    path: string,
    type: string,
    { signal, alive }: Pick<Job, 'signal' | 'alive'>,
    use: (answer: HttpAnswer) => Promise<T>,
  ): Promise<T> {
    const stop = new AbortController()
    const stall = stallWatch(() => stop.abort(new PocketError('ERR_TIMEOUT')), stallMs)
    try {
      const answer = await ask(path, type, AbortSignal.any([signal, stop.signal]))
      checkAnswer(answer, type)
      return await use({ ...answer, body: stall.over(answer.body, alive) })
    } catch (error) {
      if (signal.aborted) throw new PocketError('ERR_ABORTED', undefined, { cause: signal.reason })
      // A failed write of ours is not the silence of theirs.
      if (isPocketError(stop.signal.reason) && !isStorage(error)) throw stop.signal.reason
      throw toPocketError(error, 'ERR_NOT_FOUND')
    } finally {
      stall.stop()
      // Whatever it was: it must not go on sending.
      stop.abort(new PocketError('ERR_ABORTED'))
    }
  }

  const block = (cid: CID, job: Job): Promise<Uint8Array> =>
    request(formatRequest({ kind: 'raw', cid }), RAW_TYPE, job, ({ body }) => collect(body))

  return {
    kind,
    id,
    lanes,
    shared: false,
    lastResort: () => false,
    async bring(part, job) {
      const { sink } = job
      const single = job.blockwise || (part.kind === 'links' && !links) || (part.kind === 'range' && !ranges)
      if (!single) {
        const done = await request(formatRequest(carRequest(part)), CAR_TYPE, job, async (answer) => {
          if (part.kind === 'links' && answer.header(LINKS_HEADER) !== `${part.from}:${part.to}`) return (links = false)
          return bringCar(answer.body, part, sink).then(() => true)
        }).catch(async (error: unknown) => {
          // A block outside of the range, which is of the file: this gateway sends files whole.
          if (part.kind !== 'range' || !isPocketError(error, 'ERR_INVALID_CAR') || error.detail?.outside !== true)
            throw error
          return (ranges = false)
        })
        if (done) return
      }
      try {
        await bringBlocks(part, {
          ...job,
          bring: async (cid) => {
            const bytes = await block(cid, job)
            await sink.take(cid, bytes)
            return bytes
          },
        })
      } finally {
        await sink.end()
      }
    },
  }
}

function carRequest(part: Part): CarRequest {
  const { root: cid } = part
  if (part.kind === 'block') return { kind: 'car', cid, scope: 'block' }
  if (part.kind === 'range') return { kind: 'car', cid, scope: 'entity', range: { from: part.from, to: part.to } }
  const links = part.kind === 'links' ? { links: { from: part.from, to: part.to } } : {}
  return { kind: 'car', cid, scope: 'all', ...links }
}

const isStorage = (error: unknown): boolean =>
  isPocketError(error) && (error.code === 'ERR_QUOTA_EXCEEDED' || error.code.startsWith('ERR_STORAGE'))

/** @throws PocketError */
function checkAnswer({ status, header }: HttpAnswer, type: string): void {
  const detail = { status }
  if (status === 429 || status === 503) throw new PocketError('ERR_LIMIT_EXCEEDED', 'The source is busy', { detail })
  if (status === 0 || (status >= 300 && status < 400)) {
    throw new PocketError('ERR_PROTOCOL', 'The gateway redirects', { detail })
  }
  if (status !== 200) throw new PocketError('ERR_NOT_FOUND', undefined, { detail })
  const got = header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (got !== type.split(';')[0]) {
    throw new PocketError('ERR_PROTOCOL', 'The gateway answers with another type', {
      detail: { type: (got ?? '').slice(0, 100) },
    })
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > LIMITS.maxBlockBytes)
      throw new PocketError('ERR_BLOCK_TOO_LARGE', undefined, { detail: { max: LIMITS.maxBlockBytes } })
    chunks.push(chunk)
  }
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0]
  return concat(chunks, size)
}
