import { expect, it } from 'vitest'
import { SECURITY_HEADERS } from '../../../src/companion/web/headers.ts'
import { parseGateway } from '../../../src/core/transfers/sources/gateway-ask.ts'

it.each([
  ['https://trustless-gateway.link', 'https://trustless-gateway.link'],
  ['https://example.com/some/where/ipfs/', 'https://example.com/some/where'],
  ['http://localhost:8080/', 'http://localhost:8080'],
  ['http://127.0.0.1:8080/ipfs', 'http://127.0.0.1:8080'],
])('%s is a gateway', (text, address) => {
  expect(parseGateway(text)).toBe(address)
})

it.each([
  'http://example.com',
  'http://192.168.1.5:8080',
  'https://name:secret@example.com',
  'ftp://localhost',
  'nonsense',
  // The Content Security Policy has no words for these.
  'http://[::1]:8080',
  'http://127.0.0.2:8080',
  'http://127.1.1.1',
])('%s is none', (text) => {
  expect(() => parseGateway(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
})

it('the page may ask whatever plain address is taken for a gateway, and no other', () => {
  const connect = /connect-src ([^;]*)/.exec(SECURITY_HEADERS['content-security-policy'] ?? '')?.[1]?.split(' ') ?? []
  const plain = connect.filter((source) => source.startsWith('http:'))
  expect(plain).toEqual(['http://localhost:*', 'http://127.0.0.1:*'])
  for (const source of plain) expect(parseGateway(source.replace('*', '8080'))).toBe(source.replace('*', '8080'))
})
