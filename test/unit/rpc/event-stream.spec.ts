import { describe, expect, it } from 'vitest'
import type { Activity, NodeEvent, NodeStatus } from '../../../src/contract/node-api.ts'
import { eventKey, eventStream } from '../../../src/hosts/node-worker/event-stream.ts'

const status = (peers: number): NodeEvent => ({ type: 'status', status: { peers } as NodeStatus })
const activity = (id: string, done: number): NodeEvent => ({ type: 'activity', activity: { id, done } as Activity })

function open() {
  const listeners: ((event: NodeEvent) => void)[] = []
  let stops = 0
  const aborter = new AbortController()
  const watch = (listener: (event: NodeEvent) => void) => {
    listeners.push(listener)
    return { stop: () => void stops++ }
  }
  const iterator = eventStream(watch, eventKey, aborter.signal)[Symbol.asyncIterator]()
  return { emit: (event: NodeEvent) => listeners[0]?.(event), iterator, aborter, stops: () => stops }
}

describe('an event stream', () => {
  it('passes events on in order, those that wait and those that come', async () => {
    const { emit, iterator } = open()
    emit(status(1))
    emit({ type: 'pins', pins: [] })
    expect((await iterator.next()).value).toEqual(status(1))
    expect((await iterator.next()).value).toEqual({ type: 'pins', pins: [] })
    const next = iterator.next()
    emit(status(2))
    expect((await next).value).toEqual(status(2))
  })

  it('keeps the latest of each kind and of each activity for a reader that sleeps', async () => {
    const { emit, iterator } = open()
    for (let i = 0; i < 10_000; i++) {
      emit(activity('a', i))
      emit(status(i))
      emit(activity('b', i))
    }
    const read = [await iterator.next(), await iterator.next(), await iterator.next()]
    expect(read.map(({ value }) => value as NodeEvent)).toEqual([
      activity('a', 9999),
      status(9999),
      activity('b', 9999),
    ])
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
