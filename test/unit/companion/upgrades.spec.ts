import { connect } from 'node:net'
import { WebSocket as Client } from 'ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  clientKey,
  createCounter,
  createNewcomerRate,
  createRate,
} from '../../../src/companion/server/address-limits.ts'
import { companion, fixtureSite, phone, rawRequest, relayAddress, sendRaw, upgradeRequest, until } from './support.ts'

describe('upgrades', () => {
  it('refuses a flood of one address with a reason, and goes on serving', async () => {
    const { port } = await companion({ upgradesPerSecond: 1, upgradeBurst: 5 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => upgradeRequest(port)))
    expect(answers.filter(({ status }) => status === 101)).toHaveLength(5)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(15)
    expect(refused[0]).toMatchObject({
      body: 'Too many new connections from this address.\n',
      headers: { 'retry-after': '1' },
    })
    expect((await rawRequest(port, '/healthz')).status).toBe(200)
  })

  it('counts the clients of a trusted proxy apart, and believes nobody else', async () => {
    const limits = { upgradesPerSecond: 1, upgradeBurst: 1 }
    const behind = await companion({ ...limits, trustedProxies: ['127.0.0.1'] })
    const via = (client: string) => upgradeRequest(behind.port, { 'X-Forwarded-For': `6.6.6.6, ${client}` })
    expect((await via('203.0.113.1')).status).toBe(101)
    expect((await via('203.0.113.1')).status).toBe(429)
    expect((await via('203.0.113.2')).status).toBe(101)
    const open = await companion(limits)
    const forged = (client: string) => upgradeRequest(open.port, { 'X-Forwarded-For': client })
    expect((await forged('203.0.113.1')).status).toBe(101)
    expect((await forged('203.0.113.2')).status).toBe(429)
  })

  it('does not take a neighbour of a trusted proxy for it', async () => {
    const { port } = await companion({ hosts: ['::1'], maxConnectionsPerAddress: 1, trustedProxies: ['::2'] })
    const held = connect(port, '::1')
    onTestFinished(() => void held.destroy())
    held.write('GET / HT')
    await until(async () => (await sendRaw(port, 'GET /healthz HTTP/1.1\r\n\r\n', '::1')).startsWith('HTTP/1.1 503'))
  })

  it('limits open WebSockets of one address until one closes', async () => {
    const { port } = await companion({ maxConnectionsPerAddress: 3, trustedProxies: ['127.0.0.1'] })
    const client = new Client(`ws://127.0.0.1:${port}/`)
    await new Promise((resolve) => client.once('open', resolve))
    for (let index = 0; index < 2; index += 1) expect((await upgradeRequest(port)).status).toBe(101)
    expect(await upgradeRequest(port)).toMatchObject({
      status: 429,
      body: 'Too many open connections from this address.\n',
    })
    client.terminate()
    await until(async () => (await upgradeRequest(port)).status === 101)
  })

  it('does not let silent sockets lock everybody out', async () => {
    const running = await companion({ upgradeTimeoutMs: 200, maxPendingUpgrades: 2 })
    for (let index = 0; index < 2; index += 1) expect((await upgradeRequest(running.port)).status).toBe(101)
    expect(await upgradeRequest(running.port)).toMatchObject({
      status: 503,
      body: 'Too many connections are being set up.\n',
    })
    const guest = await phone()
    await until(() => guest.dial(relayAddress(running)).catch(() => false))
  })

  it('lets phones in beside more silent sockets than the ten of js-libp2p', async () => {
    const running = await companion()
    for (let index = 0; index < 12; index += 1) expect((await upgradeRequest(running.port)).status).toBe(101)
    await (await phone()).dial(relayAddress(running))
  })

  it('is full at its number of peers', async () => {
    const running = await companion({ maxPeers: 1 })
    await (await phone()).dial(relayAddress(running))
    await until(() => running.health().peers === 1)
    expect(await upgradeRequest(running.port)).toMatchObject({ status: 503, body: 'The relay is full.\n' })
  })

  it.each([
    ['another path', {}, '/elsewhere', 404],
    ['no key', { 'Sec-WebSocket-Key': 'x' }, '/', 400],
    ['an old version', { 'Sec-WebSocket-Version': '7' }, '/', 400],
  ])('refuses %s', async (_what, headers, path, status) => {
    const { port } = await companion()
    expect((await upgradeRequest(port, headers, path)).status).toBe(status)
  })

  it('answers another kind of upgrade as a plain request', async () => {
    const { port } = await companion()
    expect((await rawRequest(port, '/healthz', { Connection: 'Upgrade, close', Upgrade: 'h2c' })).status).toBe(200)
  })
})

describe('garbage', () => {
  it.each([
    ['bytes', new Uint8Array(64).fill(0xff)],
    ['a TLS hello', new Uint8Array([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
    ['a request without a version', 'GET /\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\n bad\x01: y\r\n\r\n'],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['an endless header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['CONNECT', 'CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n'],
  ])('ends the socket of one who sends %s', async (_what, bytes) => {
    const { port } = await companion()
    expect(await sendRaw(port, bytes)).toMatch(/^(HTTP\/1.1 4\d\d |$)/)
    expect((await rawRequest(port, '/healthz')).status).toBe(200)
  })

  it('cuts headers that dribble', async () => {
    const { port } = await companion({ headerTimeoutMs: 300 })
    const socket = connect(port, '127.0.0.1')
    const dribble = setInterval(() => socket.write('x'), 50)
    onTestFinished(() => clearInterval(dribble))
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\nX: ')
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())))
    expect(answer).toMatch(/^HTTP\/1.1 408 /)
  })

  it('closes plain sockets that stay silent', async () => {
    const { port } = await companion({ idleTimeoutMs: 200, headerTimeoutMs: 60_000 })
    expect(await sendRaw(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
  })

  it('cuts one who asks for much and reads nothing', async () => {
    const appDir = await fixtureSite({ 'large.bin': new Uint8Array(16 * 2 ** 20) })
    const { port } = await companion({ appDir, maxConnections: 1, idleTimeoutMs: 300 })
    const stalled = connect(port, '127.0.0.1').pause()
    onTestFinished(() => void stalled.destroy())
    stalled.on('error', () => undefined)
    await new Promise((resolve) => stalled.write('GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n', resolve))
    await until(async () => (await rawRequest(port, '/healthz')).status === 503)
    await until(async () => (await rawRequest(port, '/healthz')).status === 200)
  })

  it('closes sockets that never say anything', async () => {
    const { port } = await companion({ idleTimeoutMs: 300, headerTimeoutMs: 60_000 })
    expect(await sendRaw(port, '')).toBe('')
  })

  it.each<[what: string, send: (client: Client) => void]>([
    ['text', (client) => client.send('hello')],
    ['noise', (client) => client.send(new Uint8Array(1000).fill(7))],
    ['a message that is too large', (client) => client.send(new Uint8Array(2 ** 20 + 1))],
  ])('ends the WebSocket of one who sends %s', async (_what, send) => {
    const running = await companion({ maxMessageBytes: 2 ** 20 })
    const client = new Client(`ws://127.0.0.1:${running.port}/`)
    client.on('error', () => undefined)
    await new Promise((resolve) => client.once('open', resolve))
    send(client)
    await new Promise((resolve) => client.once('close', resolve))
    await (await phone()).dial(relayAddress(running))
  })

  it('answers sockets past its limit with a reason', async () => {
    const { port } = await companion({ maxConnections: 2, idleTimeoutMs: 60_000 })
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    onTestFinished(() => held.forEach((socket) => socket.destroy()))
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.write('GET', resolve))))
    const full = 'The companion has no room for another connection.\n'
    await until(async () => (await rawRequest(port, '/healthz')).body === full)
    held[0]?.destroy()
    await until(async () => (await rawRequest(port, '/healthz')).status === 200)
  })
})

describe('limits by address', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('counts %s as %s', (address, key) => {
    expect(clientKey(address)).toBe(key)
  })

  it('gives a place back once', () => {
    const counter = createCounter(3, 2)
    const give = counter.take('a')
    expect([counter.take('a') !== undefined, counter.take('a')]).toEqual([true, undefined])
    give?.()
    give?.()
    expect([counter.size, counter.take('a') !== undefined, counter.take('a')]).toEqual([1, true, undefined])
    expect([counter.take('b') !== undefined, counter.take('c')]).toEqual([true, undefined])
  })

  it('refills a bucket with time, and forgets idle clients', () => {
    let now = 0
    const rate = createRate(2, 3, () => now)
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false])
    now = 500
    expect([rate.take('a'), rate.take('a')]).toEqual([true, false])
    now = 60_000
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false])
  })

  it('locks nobody out when the clock is set back', () => {
    let now = 100_000_000
    const rate = createRate(2, 3, () => now)
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false])
    now -= 86_400_000
    expect(rate.take('a')).toBe(false)
    now += 500
    expect([rate.take('a'), rate.take('a')]).toEqual([true, false])
  })
  it('counts newcomers of one /48 network together, beside those of each client', () => {
    const rate = createNewcomerRate(1, 2, () => 0)
    const take = (address: string) => rate.take(clientKey(address))
    expect([1, 2, 3].map(() => take('2001:db8:1:1::1'))).toEqual([true, true, false])
    const others = Array.from({ length: 8 }, (_, index) => take(`2001:db8:1:${index + 2}::1`))
    expect(others).toEqual([true, true, true, true, true, true, false, false])
    expect([take('2001:db8:2::1'), take('10.0.0.1')]).toEqual([true, true])
  })
})
