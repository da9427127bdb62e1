import { expect, it } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import { isShown } from '../../../src/app/state/under-way.ts'
import { PocketError, toWireError, type ErrorCode } from '../../../src/shared/errors.ts'

const failed = (code: ErrorCode, rest: Partial<Transfer> = {}): Parameters<typeof isShown>[0] => ({
  kind: 'import',
  state: 'failed',
  durable: false,
  done: 0,
  error: toWireError(new PocketError(code)),
  ...rest,
})

it('shows what a person waits for and what went wrong, not what a caller was refused', () => {
  expect(isShown(failed('ERR_INVALID_NAME'))).toBe(false)
  expect(isShown(failed('ERR_INVALID_CID', { kind: 'fetch' }))).toBe(false)
  expect(isShown(failed('ERR_QUOTA_EXCEEDED'))).toBe(true)
  expect(isShown(failed('ERR_INVALID_NAME', { done: 1000 }))).toBe(true)
  expect(isShown(failed('ERR_INVALID_PATH', { kind: 'fetch', durable: true }))).toBe(true)
  const begun = failed('ERR_INVALID_NAME', { state: 'running' })
  expect(isShown(begun)).toBe(true)
  expect(isShown({ ...begun, kind: 'send' })).toBe(false)
  expect(isShown({ ...begun, state: 'complete' })).toBe(false)
})
