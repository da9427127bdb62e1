import { describe, expect, it } from 'vitest'
import { text } from '../../support/node/cars.ts'
import { randomBytes, readAll, startNode } from '../../support/node/node.ts'

describe('exporting a CAR', () => {
  it('gives what another node imports, below a path too', async () => {
    await using host = await startNode()
    await using other = await startNode()
    const { cid } = await host.add([
      { path: 'a/b/film', content: randomBytes(3_000_000) },
      { path: 'a/b/empty', content: new Uint8Array() },
      { path: 'a/c', content: text('c') },
    ])
    const result = await other.car.import(host.car.export(cid))
    expect(result).toMatchObject({ roots: [cid], incomplete: [], dropped: 0 })
    expect((await readAll(other.cat(`${cid}/b/film`))).length).toBe(3_000_000)
    const below = await other.car.import(host.car.export(`/ipfs/${cid}/b`))
    expect(below).toMatchObject({ incomplete: [], dropped: 0 })
    expect(below.roots).not.toEqual([cid])
  })

  it('reads no further than it is taken, and stops when it is cancelled', async () => {
    await using host = await startNode()
    const { cid } = await host.add(new File([randomBytes(40_000_000)], 'a'))
    const reader = host.car.export(cid).getReader()
    expect((await reader.read()).value?.byteLength).toBeLessThan(200)
    await reader.cancel()
    const stop = new AbortController()
    const second = host.car.export(cid, { signal: stop.signal }).getReader()
    await second.read()
    stop.abort()
    await expect(async () => {
      for (;;) if ((await second.read()).done) return
    }).rejects.toThrow()
  })

  it('fails for a path that is none', async () => {
    await using host = await startNode()
    await expect(readAll(host.car.export('nonsense'))).rejects.toMatchObject({ code: 'ERR_INVALID_CID' })
  })
})
