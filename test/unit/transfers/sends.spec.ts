import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Transfer } from '../../../src/contract/node-api.ts'
import { createSends } from '../../../src/core/transfers/sends.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function open() {
  const told: Transfer[] = []
  const sends = createSends({
    nameOf: (cid) => (cid === 'root' ? 'Fotos' : undefined),
    onChange: (transfer) => told.push(transfer),
  })
  return { sends, told }
}

describe('what a peer takes', () => {
  it('is one transfer, named after what is kept, with the bytes of all answers', () => {
    const { sends } = open()
    const one = sends.begin('alice', 'root')
    const part = sends.begin('alice', 'part')
    one.sent(1000)
    vi.advanceTimersByTime(1000)
    part.sent(3000)
    const [transfer] = sends.all()
    expect(sends.all()).toHaveLength(1)
    expect(transfer).toMatchObject({
      kind: 'send',
      state: 'running',
      name: 'Fotos',
      cid: 'root',
      done: 4000,
      rate: 4000,
      sources: [{ kind: 'peer', id: 'alice', bytes: 4000 }],
    })
  })

  it('goes on from answer to answer, and is over some time after the last', () => {
    const { sends, told } = open()
    const first = sends.begin('alice', 'root')
    first.end()
    vi.advanceTimersByTime(2_000)
    const second = sends.begin('alice', 'root')
    vi.advanceTimersByTime(60_000)
    expect(sends.all()).toHaveLength(1)
    second.sent(5)
    second.end()
    second.end()
    vi.advanceTimersByTime(10_000)
    expect(sends.all()).toEqual([])
    expect(told.at(-1)).toMatchObject({ state: 'complete', done: 5, total: 5 })
    expect(new Set(told.map(({ id }) => id)).size).toBe(1)
  })

  it("is nobody's business any more when the node has stopped", () => {
    const { sends, told } = open()
    const answer = sends.begin('alice', 'root')
    sends.stop()
    const before = told.length
    answer.sent(5)
    answer.end()
    sends.begin('alice', 'root').end()
    vi.advanceTimersByTime(60_000)
    expect(told.length).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is another transfer for another peer', () => {
    const { sends } = open()
    sends.begin('alice', 'root')
    sends.begin('bob', 'x')
    expect(sends.all().map(({ name }) => name)).toEqual(['Fotos', 'x'])
  })
})
