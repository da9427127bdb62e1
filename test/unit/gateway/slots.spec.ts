import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createSlots, type Slot } from '../../../src/core/gateway/slots.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const { maxAnswers, maxAnswersPerPeer } = LIMITS

it('gives a peer that has none the place of the slowest of whoever has most', () => {
  const slots = createSlots()
  const evicted: string[] = []
  const take = (peer: string, name: string): Slot | undefined => slots.take(peer, () => evicted.push(name))
  const peers = ['a', 'b', 'c']
  const held = peers.flatMap((peer) => Array.from({ length: maxAnswersPerPeer }, (_, n) => take(peer, `${peer}${n}`)))
  expect(held).toHaveLength(maxAnswers)
  vi.setSystemTime(Date.now() + 1000)
  for (const [n, slot] of held.entries()) slot?.sent(n === 2 ? 500 : 1000)
  const first = take('d', 'd0')
  expect(first).toBeDefined()
  expect(evicted).toEqual(['a2'])
  // What lost its place has none to give back.
  held[2]?.release()
  expect(take('a', 'again')).toBeUndefined()
  expect(take('d', 'd1')).toBeUndefined()
  expect(take('e', 'e0')).toBeDefined()
  expect(evicted).toEqual(['a2', 'b0'])
  first?.release()
  expect(take('a', 'again')).toBeDefined()
})

it('takes no place of a peer that has just one', () => {
  const slots = createSlots()
  const evicted: string[] = []
  for (let n = 0; n < maxAnswers; n++) expect(slots.take(`peer ${n}`, () => evicted.push(`${n}`))).toBeDefined()
  expect(slots.take('another', () => undefined)).toBeUndefined()
  expect(evicted).toEqual([])
})

it('gives a peer no more than its share', () => {
  const slots = createSlots()
  const mine = Array.from({ length: maxAnswersPerPeer }, () => slots.take('a', () => undefined))
  expect(mine).not.toContain(undefined)
  expect(slots.take('a', () => undefined)).toBeUndefined()
  mine[0]?.release()
  expect(slots.take('a', () => undefined)).toBeDefined()
})
