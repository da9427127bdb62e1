import { describe, expect, it } from 'vitest'
import { eventStream } from '../../../src/hosts/node-worker/event-stream.ts'

interface Event {
  about: string
  value: number
}

const of = (about: string, value: number): Event => ({ about, value })
const status = (value: number): Event => of('status', value)

function open() {
  const listeners: ((event: Event) => void)[] = []
  let stops = 0
  const aborter = new AbortController()
  const watch = (listener: (event: Event) => void) => {
    listeners.push(listener)
    return { stop: () => void stops++ }
  }
  const iterator = eventStream(watch, ({ about }) => about, aborter.signal)[Symbol.asyncIterator]()
  return { emit: (event: Event) => listeners[0]?.(event), iterator, aborter, stops: () => stops }
}

describe('an event stream', () => {
  it('passes events on in order, those that wait and those that come', async () => {
    const { emit, iterator } = open()
    emit(status(1))
    emit(of('pins', 0))
    expect((await iterator.next()).value).toEqual(status(1))
    expect((await iterator.next()).value).toEqual(of('pins', 0))
    const next = iterator.next()
    emit(status(2))
    expect((await next).value).toEqual(status(2))
  })

  it('keeps the latest of each kind for a reader that sleeps', async () => {
    const { emit, iterator } = open()
    for (let i = 0; i < 10_000; i++) {
      emit(of('a', i))
      emit(status(i))
      emit(of('b', i))
    }
    const read = [await iterator.next(), await iterator.next(), await iterator.next()]
    expect(read.map(({ value }) => value as Event)).toEqual([of('a', 9999), status(9999), of('b', 9999)])
    let more = false
    void iterator.next().then(() => (more = true))
    await new Promise(setImmediate)
    expect(more).toBe(false)
  })

  it.each(['return', 'abort'] as const)('ends on %s, and stops watching once', async (how) => {
    const { iterator, aborter, stops } = open()
    const next = iterator.next()
    if (how === 'abort') aborter.abort()
    await iterator.return?.()
    expect((await next).done).toBe(true)
    expect((await iterator.next()).done).toBe(true)
    expect(stops()).toBe(1)
  })
})
