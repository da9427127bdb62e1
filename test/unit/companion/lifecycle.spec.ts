import { realpath, symlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lanAddresses, companionAddresses } from '../../../src/companion/server/addresses.ts'
import { companion, phone, rawRequest, relayAddress, temporaryFolder, upgradeRequest, until } from './support.ts'
import type { NetworkInterfaceInfo } from 'node:os'

describe('start and stop', () => {
  it('stops within two seconds with everything open, and frees the port', async () => {
    const running = await companion({ idleTimeoutMs: 60_000 })
    await (await phone()).dial(relayAddress(running))
    const silent = connect(running.port, '127.0.0.1')
    await new Promise((resolve) => silent.once('connect', resolve))
    const half = connect(running.port, '127.0.0.1')
    half.on('error', () => undefined)
    await new Promise((resolve) => half.write('GET / HT', resolve))
    expect((await upgradeRequest(running.port)).status).toBe(101)
    const ended = Promise.all([silent, half].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    const begun = performance.now()
    await Promise.all([running.stop(), running.stop()])
    expect(performance.now() - begun).toBeLessThan(2000)
    await ended
    const again = await companion({ port: running.port })
    expect(again.port).toBe(running.port)
  })

  it.each(['127.0.0.1', '::1'])('says that the port is taken on %s, and keeps nothing open', async (host) => {
    const other = createServer()
    onTestFinished(() => void other.close())
    await new Promise<void>((resolve) => other.listen(0, host, resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const dataDir = await temporaryFolder()
    await expect(companion({ dataDir, hosts: ['127.0.0.1', '::1'], port })).rejects.toMatchObject({
      code: 'ERR_PORT_BUSY',
      message: `Port ${port} is taken by another program. Stop it or choose another port.`,
    })
    await new Promise((resolve) => other.close(resolve))
    const now = await companion({ dataDir, hosts: ['127.0.0.1', '::1'], port })
    expect(now.port).toBe(port)
  })

  it('refuses a second on the same data folder with a sentence, and the first goes on', async () => {
    const dataDir = await temporaryFolder()
    const first = await companion({ dataDir })
    const link = join(await temporaryFolder(), 'link')
    await symlink(dataDir, link)
    for (const folder of [dataDir, `${dataDir}/.`, link]) {
      await expect(companion({ dataDir: folder })).rejects.toMatchObject({
        code: 'ERR_DATA_BUSY',
        message: `Another companion (process ${process.pid}) is running on the data folder ${await realpath(dataDir)}. Stop it, or choose another folder.`,
      })
    }
    expect((await rawRequest(first.port, '/healthz')).status).toBe(200)
    await first.stop()
    expect((await companion({ dataDir })).peerId).toBe(first.peerId)
  })

  it('has the same port on both loopback addresses', async () => {
    const { port } = await companion({ hosts: ['127.0.0.1', '::1'] })
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    expect((await fetch(`http://[::1]:${port}/healthz`)).status).toBe(200)
  })

  it('refuses an address that is not of this machine', async () => {
    await expect(companion({ hosts: ['203.0.113.1'] })).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  })

  it('is a relay alone without an app', async () => {
    const { port } = await companion()
    expect((await rawRequest(port, '/', { accept: 'text/html' })).status).toBe(404)
  })

  it('leaves no timer and no socket behind', async () => {
    const before = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length
    const running = await companion({ hosts: ['127.0.0.1', '::1'] })
    await running.stop()
    await until(() => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length <= before)
  })
})

describe('addresses', () => {
  const network = (address: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false): NetworkInterfaceInfo => ({
    address,
    family,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    scopeid: 0,
  })

  it('puts what a phone can reach first', () => {
    const found = lanAddresses({
      lo: [network('127.0.0.1', 'IPv4', true)],
      docker0: [network('172.17.0.1')],
      wg0: [network('10.8.0.2')],
      eth0: [network('203.0.113.7'), network('fe80::1', 'IPv6'), network('2001:db8::1', 'IPv6')],
      wlan0: [network('192.168.1.5')],
      awdl0: [network('169.254.3.4')],
    })
    expect(found).toEqual(['192.168.1.5', '203.0.113.7', '172.17.0.1', '10.8.0.2'])
  })

  it('takes IPv6 where there is nothing else', () => {
    expect(lanAddresses({ eth0: [network('fe80::1', 'IPv6'), network('2001:db8::1', 'IPv6')] })).toEqual([
      '2001:db8::1',
    ])
  })

  const plain = { announce: [], localAuthority: false, localName: '' }
  const secure = { ...plain, localAuthority: true }
  const announced = { ...plain, announce: ['/dns4/example.org/tcp/443/tls/ws'] }
  const named = { ...secure, localName: 'laptop.local' }
  const lan = ['192.168.1.5', '10.0.0.9']
  it.each([
    ['loopback', plain, ['127.0.0.1', '::1'], ['/ip4/127.0.0.1/tcp/80/ws'], []],
    [
      'everywhere',
      plain,
      ['0.0.0.0'],
      ['/ip4/127.0.0.1/tcp/80/ws'],
      ['/ip4/192.168.1.5/tcp/80/ws', '/ip4/10.0.0.9/tcp/80/ws'],
    ],
    ['one address', plain, ['10.0.0.9'], [], ['/ip4/10.0.0.9/tcp/80/ws']],
    ['IPv6', plain, ['2001:db8::1'], [], ['/ip6/2001:db8::1/tcp/80/ws']],
    [
      '--host',
      secure,
      ['0.0.0.0', '::'],
      ['/ip4/127.0.0.1/tcp/80/ws'],
      ['/ip4/192.168.1.5/tcp/80/tls/ws', '/ip4/10.0.0.9/tcp/80/tls/ws'],
    ],
    [
      '--host NAME',
      named,
      ['0.0.0.0'],
      ['/ip4/127.0.0.1/tcp/80/ws'],
      ['/dns4/laptop.local/tcp/80/tls/ws', '/ip4/192.168.1.5/tcp/80/tls/ws', '/ip4/10.0.0.9/tcp/80/tls/ws'],
    ],
    ['a proxy', announced, ['127.0.0.1'], [], ['/dns4/example.org/tcp/443/tls/ws']],
  ])('announces %s', (_what, config, hosts, local, elsewhere) => {
    const addresses = companionAddresses({ config, hosts, port: 80, lan: () => lan })
    expect([addresses.local.map(String), addresses.network.map(String)]).toEqual([local, elsewhere])
  })
})
