import { expect, it } from 'vitest'
import { ipfsPath, parseLink } from '../../../src/contract/link.ts'
import { readAll, startNode } from '../../support/node/node.ts'

const name = '100 % sure? #1 100%25 ü.txt'
const text = new TextEncoder().encode('words')

it('a name that an address would read otherwise comes through links, reads and transfers', async () => {
  await using node = await startNode()
  const { cid } = await node.add([{ path: `folder/in % it/${name}`, content: text }])
  const inside = `in % it/${name}`
  const path = ipfsPath(cid, inside)
  expect(parseLink(`https://pocket.example/#/get/${path}?name=x`).path).toBe(inside)
  expect(await readAll(node.cat(path))).toEqual(text)
  const over = Promise.withResolvers<{ state: string; name: string }>()
  const watch = node.transfers.watch((transfer) => {
    if (['complete', 'failed', 'waiting'].includes(transfer.state)) over.resolve(transfer)
  })
  const { id } = await node.transfers.start({ cid: path })
  expect(await over.promise).toMatchObject({ id, state: 'complete', name })
  watch.stop()
  const pins = await Array.fromAsync(node.pin.ls())
  expect(pins.map((pin) => pin.name)).toContain(name)
  // Kept by a call too, under the same name.
  await node.pin.rm(pins.find((pin) => pin.name === name)?.cid ?? '')
  expect((await node.pin.add(path)).name).toBe(name)
})
