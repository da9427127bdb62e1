import { expect, it } from 'vitest'
import { createHeldRoots } from '../../../src/core/repo/held-roots.ts'
import { randomBlock } from '../../support/storage/blocks.ts'

it('holds a root until everybody who held it has let go, each once', async () => {
  const roots = createHeldRoots()
  const { cid } = await randomBlock()
  const { cid: other } = await randomBlock()
  const one = roots.hold(cid)
  const two = roots.hold(cid)
  const three = roots.hold(other)
  expect(roots.all().map(String)).toEqual([cid.toString(), other.toString()])
  one()
  one()
  expect(roots.all().map(String)).toContain(cid.toString())
  two()
  three()
  expect(roots.all()).toEqual([])
})
