import { describe, expect, it } from 'vitest'
import { randomFile, sha256 } from '../../../e2e/support/files.ts'

describe('randomFile', () => {
  it('is the same for the same seed and another for another', () => {
    const one = randomFile(100_000, 'one')
    expect(one.buffer).toHaveLength(100_000)
    expect(randomFile(100_000, 'one').buffer.equals(one.buffer)).toBe(true)
    expect(randomFile(100_000, 'two').sha256).not.toBe(one.sha256)
    expect(one.sha256).toBe(sha256(one.buffer))
  })

  it('holds no block twice', () => {
    const { buffer } = randomFile(64 * 1024, 'blocks')
    const blocks = new Set(Array.from({ length: 64 }, (_, i) => sha256(buffer.subarray(i * 1024, (i + 1) * 1024))))
    expect(blocks.size).toBe(64)
  })
})
