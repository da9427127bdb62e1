import { expect, it } from 'vitest'
import { hostNames, publicUrl } from '../../../src/companion/server/host-names.ts'
import { testConfig } from './support.ts'

const own = ['localhost', '127.0.0.1', '[::1]']

it.each([
  ['this machine', {}, [], 'https://localhost/'],
  ['a network', { hosts: ['0.0.0.0', '::'] }, ['192.168.1.5'], 'https://localhost/'],
  ['a name of its own', { localName: 'Laptop.local' }, ['laptop.local', '192.168.1.5'], 'https://laptop.local/'],
  [
    'a proxy',
    { announce: ['/dns4/example.org/tcp/443/tls/ws'] },
    ['example.org', '192.168.1.5'],
    'https://example.org/',
  ],
  [
    'another name for the app',
    { hostNames: ['app.example.org'], announce: ['/ip6/2001:DB8::1/tcp/443/tls/ws'] },
    ['app.example.org', '[2001:db8::1]'],
    'https://app.example.org/',
  ],
])('phones call it by %s', (_what, changes, names, url) => {
  const config = testConfig({ hosts: [], ...changes })
  expect(hostNames(config, ['192.168.1.5'])).toEqual(expect.arrayContaining([...own, ...names]))
  expect(hostNames(config, [])).not.toContain('')
  expect(publicUrl(config)).toBe(url)
})

it('takes no name that somebody else could have as well', () => {
  expect(hostNames(testConfig(), ['192.168.1.5'])).toEqual([...own, '192.168.1.5'])
  expect(hostNames(testConfig({ hosts: ['0.0.0.0', '::'] }), [])).toEqual(own)
})
