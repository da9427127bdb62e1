import type { Transfer } from '../../contract/node-api.ts'
import { bytes } from './format.ts'
import { describeFailure, t } from './index.ts'

/** How a transfer stands, in one line. */
export function transferLine(transfer: Transfer, online: boolean): string {
  const { kind, state, done, total, rate, timeLeft, error } = transfer
  const amount = total === undefined ? bytes(done) : t.transfer.of(done, total)
  switch (state) {
    case 'failed':
      return t.transfer.failed
    case 'paused':
      return `${t.transfer.paused} · ${amount}`
    case 'waiting':
      return online ? reason(transfer) : t.transfer.offline
    case 'queued':
      return kind === 'fetch' && !online ? t.transfer.offline : t.transfer.queued
    default:
      if (kind === 'fetch' && !online) return t.transfer.offline
      // Tried again, and nothing has come yet.
      if (error !== undefined) return reason(transfer)
      if (kind === 'fetch' && done > 0 && rate === 0) return `${t.transfer.stalled} · ${amount}`
  }
  const parts = [kind === 'import' ? t.transfer.adding : t.transfer.arriving, amount]
  if (rate > 0) parts.push(t.transfer.rate(rate))
  if (timeLeft !== undefined) parts.push(t.transfer.left(timeLeft))
  return parts.join(' · ')
}

function reason({ error }: Transfer): string {
  if (error === undefined || error.code === 'ERR_NOT_FOUND') return t.transfer.nobody
  if (error.code === 'ERR_OFFLINE') return error.detail?.chosen === true ? t.transfer.chosenOffline : t.transfer.offline
  if (error.code === 'ERR_DATA_CAP') return t.transfer.capped[error.detail?.period === 'month' ? 'month' : 'day']
  return t.transfer.waiting(describeFailure(error).what)
}
