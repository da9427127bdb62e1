import { describe, expect, it } from 'vitest'
import { parseParams } from '../../../src/contract/node-params.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

type Method = keyof typeof parseParams
const bytes = new Uint8Array(3)
const single = { kind: 'single', content: bytes }

describe('params of the node', () => {
  it.each<[Method, unknown]>([
    ['id', undefined],
    ['add', { source: single }],
    ['add', { source: { kind: 'single', content: new Blob(['x']) }, name: 'x' }],
    ['add', { source: { kind: 'entries', entries: [{ path: 'a/b', content: { body: 0 } }] } }],
    ['add', { source: { kind: 'entries', entries: [] } }],
    ['cat', { path: '/ipfs/x', offset: 0, length: 5 }],
    ['pin.add', { path: 'x', name: '' }],
    ['transfers.start', { cid: 'x' }],
    ['transfers.start', { cid: 'x/y', from: ['/dns4/x', 'https://x'], name: 'n', priority: -1 }],
    ['transfers.list', undefined],
    ['transfers.pause', { id: 'x' }],
    ['profile.set', { choice: 'saver' }],
    ['data.setCaps', {}],
    ['data.setCaps', { day: 1, month: 5e9 }],
    ['share', { cid: 'x', appUrl: 'https://pocket.example/' }],
    ['setRelays', { multiaddrs: ['/dns4/x'] }],
  ])('%s takes %j', (method, params) => {
    expect(parseParams[method](params)).toEqual(params)
  })

  it('leaves out what a method does not know', () => {
    expect(parseParams.ls({ path: 'x', signal: 1 })).toEqual({ path: 'x' })
  })

  it.each<[Method, unknown, string]>([
    ['id', {}, 'params'],
    ['add', undefined, 'params'],
    ['add', {}, 'source'],
    ['add', { source: 'text' }, 'source'],
    ['add', { source: { kind: 'other' } }, 'source'],
    ['add', { source: { kind: 'single', content: 'text' } }, 'source.content'],
    ['add', { source: { kind: 'single', content: { body: -1 } } }, 'source.content'],
    ['add', { source: { kind: 'entries', entries: {} } }, 'source'],
    ['add', { source: { kind: 'entries', entries: [null] } }, 'source.entries'],
    ['add', { source: { kind: 'entries', entries: [{ path: 1, content: bytes }] } }, 'source.entries.path'],
    ['add', { source: single, name: 1 }, 'name'],
    ['cat', 'path', 'params'],
    ['cat', [], 'params'],
    ['cat', { path: 1 }, 'path'],
    ['cat', { path: 'x'.repeat(LIMITS.maxLinkChars + 1) }, 'path'],
    ['cat', { path: 'x', offset: -1 }, 'offset'],
    ['cat', { path: 'x', offset: 1.5 }, 'offset'],
    ['cat', { path: 'x', length: Number.NaN }, 'length'],
    ['cat', { path: 'x', length: Infinity }, 'length'],
    ['profile.set', { choice: 'wake' }, 'choice'],
    ['data.setCaps', { day: 0 }, 'day'],
    ['data.setCaps', { month: 1.5 }, 'month'],
    ['dial', { target: null }, 'target'],
    ['hangUp', {}, 'peerId'],
    ['transfers.start', { from: [] }, 'cid'],
    ['transfers.start', { cid: 'x', from: 'https://x' }, 'from'],
    ['transfers.start', { cid: 'x', from: Array.from({ length: 100 }, () => 'x') }, 'from'],
    ['transfers.start', { cid: 'x', priority: 0.5 }, 'priority'],
    ['transfers.list', { all: true }, 'params'],
    ['transfers.get', {}, 'id'],
    ['transfers.cancel', { id: 1 }, 'id'],
    ['share', { cid: 'x' }, 'appUrl'],
    ['share', { cid: 'x', appUrl: 'javascript:alert(1)' }, 'appUrl'],
    ['share', { cid: 'x', appUrl: 'https://x', size: '1' }, 'size'],
    ['open', { url: {} }, 'url'],
    ['setRelays', { multiaddrs: 'x' }, 'multiaddrs'],
    ['setRelays', { multiaddrs: [1] }, 'multiaddrs'],
    ['setRelays', { multiaddrs: Array.from({ length: 100 }, () => 'x') }, 'multiaddrs'],
    ['watch', null, 'params'],
  ])('%s refuses %j', (method, params, argument) => {
    expect(() => parseParams[method](params)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', detail: { argument } }),
    )
  })

  it('refuses a folder with too many entries by its number', () => {
    const entries = Array.from({ length: LIMITS.maxFolderEntries + 1 }, () => null)
    expect(() => parseParams.add({ source: { kind: 'entries', entries } })).toThrow(
      expect.objectContaining({ code: 'ERR_LIMIT_EXCEEDED' }),
    )
  })
})
