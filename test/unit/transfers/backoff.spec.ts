import { describe, expect, it } from 'vitest'
import { isFinal, retryDelay } from '../../../src/core/transfers/backoff.ts'
import { PocketError, type ErrorCode } from '../../../src/shared/errors.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

describe('the delay before the next try', () => {
  it('doubles up to its limit, whatever the number of tries', () => {
    const longest = (attempts: number) => retryDelay(attempts, () => 1)
    expect([1, 2, 3].map(longest)).toEqual([1, 2, 4].map((times) => times * LIMITS.retryDelayMs))
    expect(longest(20)).toBe(LIMITS.maxRetryDelayMs)
    expect(longest(5_000)).toBe(LIMITS.maxRetryDelayMs)
  })

  it('is spread over its upper half', () => {
    expect(retryDelay(3, () => 0)).toBe(retryDelay(3, () => 1) / 2)
  })
})

describe('a failure', () => {
  it.each<ErrorCode>(['ERR_NOT_FOUND', 'ERR_OFFLINE', 'ERR_BLOCK_HASH_MISMATCH', 'ERR_DIAL_FAILED', 'ERR_TIMEOUT'])(
    'of others (%s) is never final',
    (code) => expect(isFinal(new PocketError(code), 10_000)).toBe(false),
  )

  it.each<ErrorCode>(['ERR_INVALID_BLOCK', 'ERR_QUOTA_EXCEEDED', 'ERR_UNSUPPORTED_CODEC', 'ERR_PATH_NOT_FOUND'])(
    'that trying again cannot mend (%s) is final at once',
    (code) => expect(isFinal(new PocketError(code), 1)).toBe(true),
  )

  it.each<ErrorCode>(['ERR_INTERNAL', 'ERR_STORAGE_LOST', 'ERR_PROTOCOL'])(
    'of the node itself (%s) is final when it comes again and again',
    (code) => {
      expect(isFinal(new PocketError(code), LIMITS.maxOwnFailures - 1)).toBe(false)
      expect(isFinal(new PocketError(code), LIMITS.maxOwnFailures)).toBe(true)
    },
  )
})
