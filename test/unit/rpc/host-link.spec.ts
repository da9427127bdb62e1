import { describe, expect, it } from 'vitest'
import { parseDoorMessage, parseHostReply, parsePageMessage } from '../../../src/contract/host-link.ts'

const hello = {
  type: 'hello',
  version: 1,
  clientId: 'c',
  page: { webrtc: true },
  relays: ['/dns4/relay.example'],
}

describe('messages between page and host', () => {
  it.each([
    [parsePageMessage, hello],
    [parsePageMessage, { ...hello, replaces: 'h' }],
    [parsePageMessage, { type: 'relays', relays: [] }],
    [parsePageMessage, { type: 'page', report: { visibility: 'hidden', online: false } }],
    [parsePageMessage, { type: 'lend', channel: 'x' }],
    [parseHostReply, { type: 'starting', hostId: 'h' }],
    [parseHostReply, { type: 'welcome', hostId: 'h' }],
    [parseHostReply, { type: 'refused', version: 2, hostId: 'h' }],
    [parseHostReply, { type: 'busy' }],
    [parseHostReply, { type: 'failed', error: { code: 'ERR_TIMEOUT', message: 'm' } }],
    [parseDoorMessage, { type: 'knock', clientId: 'c' }],
    [parseDoorMessage, { type: 'answer', clientId: 'c', hostId: 'h' }],
    [parseDoorMessage, { type: 'open', hostId: 'h' }],
  ])('%o reads %j', (parse, message) => {
    expect(parse(message)).toEqual(message)
  })

  it('carry a port for lending', () => {
    const { port1, port2 } = new MessageChannel()
    expect(parsePageMessage({ type: 'lend', port: port1 })).toEqual({ type: 'lend', port: port1 })
    port1.close()
    port2.close()
  })

  const garbage = [
    ...[undefined, null, 7, 'hello', [], {}, { type: 'none' }, { type: 'hello' }, { ...hello, version: '1' }],
    ...[
      { ...hello, clientId: '' },
      { ...hello, clientId: 'x'.repeat(2000) },
      { ...hello, page: null },
    ],
    ...[
      { ...hello, relays: [1] },
      { ...hello, relays: Array.from({ length: 100 }, () => 'x') },
    ],
    ...[
      { ...hello, replaces: 1 },
      { type: 'page', report: { visibility: 'hidden', online: 1 } },
      { type: 'lend' },
      { type: 'lend', port: {} },
    ],
    ...[
      { type: 'welcome' },
      { type: 'refused' },
      { type: 'knock' },
      { type: 'answer', clientId: 'c' },
      { type: 'open' },
    ],
  ]
  it.each([parsePageMessage, parseHostReply, parseDoorMessage])('%o refuses everything else', (parse) => {
    for (const message of garbage) {
      expect(() => parse(message), JSON.stringify(message)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL' }))
    }
  })
})
