import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { checkServerIdentity, connect, createServer } from 'node:tls'
import { WebSocket as Client } from 'ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openAuthority } from '../../../src/companion/authority/authority.ts'
import { createAuthority, createServerCertificate } from '../../../src/companion/authority/certificates.ts'
import { trustHandlers } from '../../../src/companion/authority/trust-handler.ts'
import { machineNames, within } from '../../../src/companion/authority/names.ts'
import { COMPANION_PATH, parseCompanionInfo } from '../../../src/contract/companion-api.ts'
import { PAGE, companion, fixtureSite, rawRequest, sendRaw, temporaryFolder } from './support.ts'
import type { Companion } from '../../../src/companion/companion.ts'

const DAY = 86_400_000
const LAN = ['192.168.77.5']
/** An address of this machine that is not loopback: what a phone would use. */
const OUTSIDE = Object.values(networkInterfaces())
  .flat()
  .find((info) => info?.internal === false && info.family === 'IPv4')?.address

async function authorityOf(dataDir: string): Promise<string> {
  return (JSON.parse(await readFile(join(dataDir, 'authority.json'), 'utf8')) as { cert: string }).cert
}

async function secureCompanion(overrides: { localName?: string } = {}) {
  const dataDir = await temporaryFolder()
  const appDir = await fixtureSite()
  const hosts = ['0.0.0.0']
  const running = await companion({ dataDir, appDir, hosts, localAuthority: true, ...overrides }, { lan: () => LAN })
  return { running, dataDir, ca: await authorityOf(dataDir) }
}

function get(running: Companion, ca: string, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: running.port, path, ca, agent: false }, (answer) => {
      let body = ''
      answer.on('data', (data: Buffer) => (body += data.toString('latin1')))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

describe('authority', () => {
  it('issues what Node, Chromium and iOS accept', async () => {
    const dataDir = await temporaryFolder()
    const authority = await openAuthority(dataDir, { name: 'laptop.example', lan: LAN })
    const { cert } = await authority.server(LAN)
    const root = new X509Certificate(authority.certificate)
    const leaf = new X509Certificate(cert)
    expect([root.ca, leaf.ca]).toEqual([true, false])
    expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true)
    const days = (Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / DAY
    expect(days).toBeLessThanOrEqual(398)
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - DAY / 2)
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    const asObject = leaf.toLegacyObject()
    for (const name of ['localhost', 'laptop.example', '127.0.0.1', '192.168.77.5']) {
      expect(checkServerIdentity(name, asObject)).toBeUndefined()
    }
    expect(checkServerIdentity('192.168.77.6', asObject)).toBeInstanceOf(Error)
    expect(leaf.serialNumber).not.toBe(new X509Certificate((await authority.server(['10.1.1.1'])).cert).serialNumber)
  })

  it('stays the same over restarts; the server certificate follows the addresses', async () => {
    const dataDir = await temporaryFolder()
    const first = await openAuthority(dataDir, { name: '', lan: LAN })
    const second = await openAuthority(dataDir, { name: '', lan: ['10.9.9.9'] })
    expect([first.isNew, second.isNew, second.fingerprint]).toEqual([true, false, first.fingerprint])
    const { cert } = await first.server(LAN)
    expect((await second.server(LAN)).cert).toBe(cert)
    expect((await second.server(['10.9.9.9'])).cert).not.toBe(cert)
    for (const file of await readdir(dataDir)) expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600)
  })

  it('is made anew for a name that the old one may not speak for', async () => {
    const dataDir = await temporaryFolder()
    const first = await openAuthority(dataDir, { name: '', lan: LAN })
    expect((await openAuthority(dataDir, { name: 'tablet.local', lan: LAN })).fingerprint).toBe(first.fingerprint)
    const other = await openAuthority(dataDir, { name: 'pocket.example', lan: LAN })
    expect([other.isNew, other.fingerprint === first.fingerprint]).toEqual([true, false])
    const { cert } = await other.server(LAN)
    expect(new X509Certificate(cert).verify(new X509Certificate(other.certificate).publicKey)).toBe(true)
  })

  it('renews a server certificate near its end', async () => {
    const dataDir = await temporaryFolder()
    const authority = await openAuthority(dataDir, { name: '', lan: LAN })
    const path = join(dataDir, 'server-certificate.json')
    const { cert } = await authority.server(LAN)
    const days = (pem: string) => (Date.parse(new X509Certificate(pem).validTo) - Date.now()) / DAY
    const stored = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    const old = await createServerCertificate(
      JSON.parse(await readFile(join(dataDir, 'authority.json'), 'utf8')) as { key: string; cert: string },
      machineNames(LAN, ''),
      { days: 20 },
    )
    await writeFile(path, JSON.stringify({ ...stored, ...old }))
    const renewed = await authority.server(LAN)
    expect([Math.round(days(old.cert)), Math.round(days(renewed.cert))]).toEqual([20, Math.round(days(cert))])
  })

  it('can speak for nobody else, even with its key stolen', async () => {
    const { running, dataDir, ca } = await secureCompanion()
    const stolen = JSON.parse(await readFile(join(dataDir, 'authority.json'), 'utf8')) as { key: string; cert: string }
    const forged = await createServerCertificate(stolen, { dns: ['bank.example'], ip: ['203.0.113.1'] })
    const server = createServer(forged)
    server.on('tlsClientError', () => undefined)
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const failure = await new Promise<Error>((resolve) => {
      connect({ port, host: '127.0.0.1', servername: 'bank.example', ca }).once('error', resolve)
    })
    expect(failure.message).toBe('permitted subtree violation')
    expect((await get(running, ca, '/')).body).toBe(PAGE)
  })

  it.each(['{', '{}', '{"version":2}', '{"version":1,"key":"","cert":"x","names":{"dns":[],"ip":[]}}'])(
    'refuses a damaged file (%s)',
    async (content) => {
      const dataDir = await temporaryFolder()
      await writeFile(join(dataDir, 'authority.json'), content)
      await expect(openAuthority(dataDir, { name: '', lan: [] })).rejects.toThrow('authority.json is damaged')
    },
  )

  it.each([
    [[], '', 'box', ['localhost', 'box', 'box.local'], ['127.0.0.1', '::1']],
    [LAN, '', 'Box.Lan', ['localhost', 'box.lan'], ['127.0.0.1', '::1', ...LAN]],
    [LAN, '10.0.0.1', 'my_box', ['localhost'], ['127.0.0.1', '::1', ...LAN, '10.0.0.1']],
    [[], 'Tablet.local', 'box', ['localhost', 'box', 'box.local', 'tablet.local'], ['127.0.0.1', '::1']],
  ])('names a machine (%j, %j, %j)', (lan, extra, machine, dns, ip) => {
    expect(machineNames(lan, extra, machine)).toEqual({ dns, ip })
  })

  it('knows what is within its constraints', () => {
    const permitted = { dns: ['local'], ip: ['192.168.0.0/16', 'fc00::/7'] }
    const names = {
      dns: ['a.local', 'local', 'notlocal', 'local.example'],
      ip: ['192.168.3.4', '192.169.0.1', 'fd00::1', '::1'],
    }
    expect(within(permitted, names)).toEqual({ dns: ['a.local', 'local'], ip: ['192.168.3.4', 'fd00::1'] })
  })

  it('has a name of its own each time', async () => {
    const names = { dns: ['local'], ip: [] }
    const [a, b] = [await createAuthority('A', names), await createAuthority('A', names)]
    expect(new X509Certificate(a.cert).serialNumber).not.toBe(new X509Certificate(b.cert).serialNumber)
  })
})

describe('phones on the local network', () => {
  it('get app and relay over TLS on the one port', async () => {
    const { running, ca } = await secureCompanion()
    expect(await get(running, ca, '/')).toEqual({ status: 200, body: PAGE })
    const info = parseCompanionInfo(JSON.parse((await get(running, ca, COMPANION_PATH)).body))
    expect(info.multiaddrs).toContain(`/ip4/192.168.77.5/tcp/${running.port}/tls/ws/p2p/${running.peerId}`)
    expect(info.endpoints.ca).toBe('/.well-known/pocket-authority.crt')
    const der = Buffer.from((await get(running, ca, info.endpoints.ca ?? '')).body, 'latin1')
    expect(new X509Certificate(der).fingerprint256).toBe(running.network?.fingerprint)
    const socket = new Client(`wss://127.0.0.1:${running.port}/`, { ca })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.terminate()
  })

  it('are refused by nobody who does not trust the authority', async () => {
    const { running } = await secureCompanion()
    await expect(get(running, await authorityOf((await secureCompanion()).dataDir), '/')).rejects.toThrow(/certificate/)
  })

  it('are told both ways in', async () => {
    const { running } = await secureCompanion({ localName: 'laptop.local' })
    expect(running.network?.appUrl()).toBe(`https://laptop.local:${running.port}/`)
    expect(running.network?.trustUrl()).toBe(`http://laptop.local:${running.port}/`)
    expect(running.localUrl).toBe(`http://localhost:${running.port}/`)
  })

  it('find the app over plain http on the machine itself, as through a cable', async () => {
    const { running } = await secureCompanion()
    expect((await rawRequest(running.port, '/')).body).toBe(PAGE)
  })

  it('find only how to trust it over plain http from the network', async () => {
    const authority = await openAuthority(await temporaryFolder(), { name: '', lan: LAN })
    const handlers = trustHandlers(authority, () => 'https://192.168.77.5:8080/')
    const ask = async (path: string, method = 'GET') => {
      const asked = {
        method,
        path,
        headers: {},
        secure: false,
        local: false,
        near: false,
        client: '192.168.77.9',
        body: new Uint8Array(0),
      }
      return await handlers.find((handler) => handler.canHandle(asked))?.handle(asked)
    }
    const page = String((await ask('/'))?.body)
    expect(page).toContain('href="https://192.168.77.5:8080/"')
    expect(page).toContain(authority.fingerprint)
    expect(page).not.toMatch(/<style|<script>|style=|onclick/)
    for (const path of ['/index.html', '/assets/app.js', '/toString']) {
      expect(await ask(path)).toMatchObject({ status: 302, headers: { location: '/' } })
    }
    expect(await ask('/', 'POST')).toMatchObject({ status: 405 })
    const certificate = await ask('/pocket-authority.crt')
    expect(certificate?.headers?.['content-type']).toBe('application/x-x509-ca-cert')
    expect(new X509Certificate(certificate?.body ?? '').fingerprint256).toBe(authority.fingerprint)
    const profile = await ask('/pocket.mobileconfig')
    expect(profile?.headers?.['content-type']).toBe('application/x-apple-aspen-config')
    const payload = /<key>PayloadContent<\/key><data>([^<]+)</.exec(String(profile?.body))?.[1] ?? ''
    expect(new X509Certificate(Buffer.from(payload, 'base64')).fingerprint256).toBe(authority.fingerprint)
    const uuids = String(profile?.body).match(/[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}/g)
    expect(new Set(uuids).size).toBe(2)
  })

  // A machine without a network has no such way in.
  it.runIf(OUTSIDE)('cannot use the relay in the clear from the network', async () => {
    const { running } = await secureCompanion()
    const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    expect(await sendRaw(running.port, upgrade, OUTSIDE)).toContain('From the network the relay is reached over TLS.')
    const page = await sendRaw(running.port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', OUTSIDE)
    expect(page).toContain('One step before the app opens')
  })

  it('do not wait for one who opens a socket and says nothing', async () => {
    const dataDir = await temporaryFolder()
    const running = await companion({ dataDir, localAuthority: true, headerTimeoutMs: 200 }, { lan: () => LAN })
    const silent = connectTcp(running.port, '127.0.0.1')
    const hello = connectTcp(running.port, '127.0.0.1')
    hello.write(new Uint8Array([0x16, 3, 1]))
    const ended = [silent, hello].map(
      (socket) => new Promise((resolve) => socket.on('error', resolve).once('close', resolve)),
    )
    await Promise.all(ended)
    expect((await get(running, await authorityOf(dataDir), '/healthz')).status).toBe(200)
  })
})
