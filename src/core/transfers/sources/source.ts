import type { FetchSource } from '../../../contract/node-api.ts'
import type { BlockSource } from '../../content/block-source.ts'
import type { Part } from './part.ts'
import type { Sink } from './sink.ts'

/** Somebody that can be asked for parts of a DAG. Knows nothing of other sources and of the fetch. */
export interface Source extends Pick<FetchSource, 'kind' | 'id'> {
  /** Jobs that it may have at once. */
  readonly lanes: number
  /** Stands for many peers: that one of them lies says nothing about the others. */
  readonly shared: boolean
  /** Whether the way to it is lost: that is no fault of its. */
  gone?: () => boolean
  /** Asked only while nobody else can be. */
  lastResort(): boolean
  /**
   * Brings a part, or as much as it can, into the sink; resolves when the source says that this was all. Whether that is so the
   * caller looks up.
   * @throws PocketError ERR_NOT_FOUND, ERR_TIMEOUT, ERR_LIMIT_EXCEEDED; ERR_INVALID_CAR, ERR_BLOCK_HASH_MISMATCH,
   * ERR_BLOCK_TOO_LARGE, ERR_PROTOCOL for wrong answers, with `detail.cut` where one is not whole; ERR_INVALID_BLOCK,
   * ERR_UNSUPPORTED_CODEC when the content itself is wrong; ERR_ABORTED; storage codes
   */
  bring(part: Part, job: Job): Promise<void>
}

export interface Job {
  signal: AbortSignal
  store: Pick<BlockSource, 'has' | 'getLocal'>
  sink: Sink
  /** So many bytes came, whatever they are. */
  alive: (bytes: number) => void
  /** Single blocks only: asking for more of this part has failed before. */
  blockwise: boolean
}
