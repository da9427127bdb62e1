import { describe, expect, it } from 'vitest'
import { createGate } from '../../../src/core/content/gate.ts'

describe('the gate between adding and freeing', () => {
  it('lets shared work overlap and gives exclusive work the place to itself', async () => {
    const gate = createGate()
    const log: string[] = []
    const hold = (): { promise: Promise<void>; resolve: () => void } => Promise.withResolvers<void>()
    const [one, two, alone] = [hold(), hold(), hold()]
    const work = (name: string, until: Promise<void>) => async () => {
      log.push(`${name} starts`)
      await until
      log.push(`${name} ends`)
    }
    const shared = [gate.shared(work('one', one.promise)), gate.shared(work('two', two.promise))]
    const exclusive = gate.exclusive(work('alone', alone.promise))
    // What comes while it waits does not wait for it.
    await gate.shared(work('early', Promise.resolve()))
    expect(gate.busy).toBe(true)
    one.resolve()
    two.resolve()
    await Promise.all(shared)
    const late = gate.shared(work('late', Promise.resolve()))
    alone.resolve()
    await Promise.all([exclusive, late])
    expect(log).toEqual([
      'one starts',
      'two starts',
      'early starts',
      'early ends',
      'one ends',
      'two ends',
      'alone starts',
      'alone ends',
      'late starts',
      'late ends',
    ])
    expect(gate.busy).toBe(false)
  })

  it('goes on after a failure of either kind', async () => {
    const gate = createGate()
    await expect(gate.shared(async () => Promise.reject(new Error('a')))).rejects.toThrow('a')
    await expect(gate.exclusive(async () => Promise.reject(new Error('b')))).rejects.toThrow('b')
    await expect(gate.shared(async () => 1)).resolves.toBe(1)
    await expect(gate.exclusive(async () => 2)).resolves.toBeUndefined()
  })
})
