import { expect, it } from 'vitest'
import { hostNames, publicUrl } from '../../../src/companion/server/host-names.ts'
import { companion, rawRequest, testConfig } from './support.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']
const lan = () => ['192.168.1.5']

it.each([
  ['this machine', { hosts: ['127.0.0.1'] }, ['192.168.1.5'], 'https://localhost/'],
  ['a network', { hosts: ['0.0.0.0', '::'] }, ['192.168.1.5'], 'https://localhost/'],
  ['one address of it', { hosts: ['192.168.1.9'] }, ['192.168.1.5', '192.168.1.9'], 'https://localhost/'],
  ['a name of its own', { localName: 'Laptop.local' }, ['laptop.local', '192.168.1.5'], 'https://laptop.local/'],
  [
    'a proxy',
    { announce: ['/dns4/example.org/tcp/443/tls/ws'], hosts: ['192.168.1.9'] },
    ['example.org'],
    'https://example.org/',
  ],
  [
    'another name for the app',
    { hostNames: ['app.example.org'], announce: ['/ip6/2001:DB8::1/tcp/443/tls/ws'] },
    ['app.example.org', '[2001:db8::1]'],
    'https://app.example.org/',
  ],
])('phones call it by %s, and only from this machine by what others have too', (_what, changes, names, url) => {
  const config = testConfig(changes)
  expect(hostNames(config, lan, false)).toEqual(names)
  expect(hostNames(config, lan, true)).toEqual([...names, ...loopback])
  expect(publicUrl(config)).toBe(url)
})

it('a proof for localhost that a proxy brings from elsewhere is none', async () => {
  const { port } = await companion({ trustedProxies: ['127.0.0.1'] })
  const ask = async (headers: Record<string, string>) =>
    (await rawRequest(port, '/push/subscriptions', { Host: 'localhost', ...headers })).status
  expect(await ask({})).toBe(401)
  expect(await ask({ 'X-Forwarded-For': '203.0.113.9' })).toBe(421)
})

it.each([
  ['a network without a name', { hosts: ['0.0.0.0'] }, true],
  ['this machine alone', {}, false],
  ['a contact', { hosts: ['0.0.0.0'], pushContact: 'mailto:a@example.org' }, false],
  ['a name', { hosts: ['0.0.0.0'], announce: ['/dns4/example.org/tcp/443/tls/ws'] }, false],
])('says at the start when push services are told no address that is its own: %s', async (_what, changes, told) => {
  const lines: string[] = []
  await companion(changes, { log: (line) => lines.push(line), lan })
  expect(lines.some((line) => line.includes('set pushContact'))).toBe(told)
})
