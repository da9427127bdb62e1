import { describe, expect, it } from 'vitest'
import { formatLink, parseLink } from '../../../src/contract/link.ts'

const CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const PEER = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
const relayed = (host: string): string => `/dns4/${host}/tcp/443/tls/ws/p2p/${PEER}/p2p-circuit/p2p/${PEER}`

describe('share links', () => {
  it('come back as they went in', () => {
    const url = formatLink('https://pocket.example/', {
      cid: CID,
      name: 'Ferien & Meer + 100 %.jpg',
      size: 1234,
      via: [relayed('relay.example.org')],
    })
    expect(url).toMatch(/^https:\/\/pocket\.example\/#\/get\/bafkrei/)
    expect(parseLink(url)).toEqual({
      cid: CID,
      path: '',
      name: 'Ferien & Meer + 100 %.jpg',
      size: 1234,
      via: [relayed('relay.example.org')],
    })
  })

  it('stay short enough for a QR code of version 15 and keep the first hint before the name', () => {
    const via = ['a.example', 'b.example', 'c.example', 'd.example'].map(relayed)
    const long = formatLink('https://pocket.example', { cid: CID, name: '長'.repeat(80), size: 1, via })
    expect(long.length).toBeLessThanOrEqual(520)
    const parsed = parseLink(long)
    expect(parsed.via[0]).toBe(via[0])
    expect(parsed.name).toBeUndefined()
    const short = parseLink(formatLink('https://pocket.example', { cid: CID, name: 'a', via }))
    expect(short.via.length).toBeGreaterThanOrEqual(2)
    expect(short.name).toBe('a')
  })

  it.each([
    [CID, ''],
    [`ipfs://${CID}`, ''],
    [`/ipfs/${CID}/a/b%20c.txt`, 'a/b c.txt'],
    [`https://gateway.example/ipfs/${CID}/x`, 'x'],
    [`https://${CID}.ipfs.gateway.example/x?download=1`, 'x'],
  ])('open from %s', (input, path) => {
    expect(parseLink(` ${input}\n`)).toEqual({ cid: CID, path, via: [] })
  })

  it.each([
    ['', 'empty'],
    ['https://example.com/', 'form'],
    ['javascript:alert(1)', 'form'],
    ['hello world', 'form'],
    ['abc', 'cid'],
    [`https://p.example/#/get/../../etc`, 'cid'],
    [`https://p.example/#/get/${CID}?via=evil`, 'via'],
    [`https://p.example/#/get/${CID}?via=evil&via=%E0%A4%A`, 'via'],
    ['x'.repeat(9000), 'length'],
  ])('refuse %j', (input, part) => {
    expect(() => parseLink(input)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_LINK', detail: { part } }))
  })

  it.each(['-1', '1e30', '1e9', '9'.repeat(30), 'many', '', '%E0%A4%A'])('open without a size of %j', (size) => {
    const link = parseLink(`https://p.example/#/get/${CID}?size=${size}&name=a`)
    expect(link).toEqual({ cid: CID, path: '', name: 'a', via: [] })
  })

  it('open with what is whole of them', () => {
    const link = parseLink(`https://p.example/#/get/${CID}?name=%E0%A4%A&via=evil&via=${relayed('a')}`)
    expect(link).toEqual({ cid: CID, path: '', via: [decodeURIComponent(relayed('a'))] })
  })

  it('carry a name that is no valid Unicode', () => {
    expect(formatLink('https://p.example', { cid: CID, name: 'a\ud800b', via: [] })).toContain('name=a%EF%BF%BDb')
  })

  it('show no name that disguises itself', () => {
    const link = parseLink(`https://p.example/#/get/${CID}?name=${encodeURIComponent('photo\u202Egpj.exe\0/../x')}`)
    expect(link.name).toBe('photogpj.exe_.._x')
  })

  it('ignore parameters of later versions and hints beyond the limit', () => {
    const via = ['a', 'b', 'c', 'd'].map((host) => `&via=${relayed(host)}`).join('')
    const link = parseLink(`https://p.example/#/get/${CID}?v=9${via}`)
    expect(link.via).toHaveLength(3)
  })
})
