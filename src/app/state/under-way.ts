import type { Transfer } from '../../contract/node-api.ts'
import type { ErrorCode } from '../../shared/errors.ts'

/** What a call is refused for, before it has done anything. */
const REFUSALS: ErrorCode[] = ['ERR_INVALID_ARGUMENT', 'ERR_INVALID_NAME', 'ERR_INVALID_CID', 'ERR_INVALID_PATH']

/** Whether a person sees it among what is under way: what they wait for, and what went wrong. What is done is in the library. */
export function isShown(transfer: Pick<Transfer, 'kind' | 'state' | 'durable' | 'done' | 'error'>): boolean {
  const { kind, state } = transfer
  return kind !== 'send' && state !== 'complete' && state !== 'cancelled' && !isRefusal(transfer)
}

/** Whether a peer is taking this from here at this moment. */
export function goesOut(transfers: Pick<Transfer, 'kind' | 'state' | 'cid'>[], cid: string): boolean {
  return transfers.some((each) => each.kind === 'send' && each.state === 'running' && each.cid === cid)
}

/** The mistake of whoever called, a page beside this app perhaps, who is told: nothing had begun. */
function isRefusal({ state, durable, done, error }: Parameters<typeof isShown>[0]): boolean {
  return state === 'failed' && !durable && done === 0 && error !== undefined && REFUSALS.includes(error.code)
}
