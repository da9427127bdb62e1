import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { createCapabilities } from '../../../src/companion/push/capabilities.ts'
import { createSubscriptions } from '../../../src/companion/push/subscriptions.ts'
import { createPeers } from '../../../src/companion/store/peers.ts'
import { openStore } from '../../../src/companion/store/store.ts'
import { browser } from './push-support.ts'
import { companion, temporaryFolder, testConfig } from './support.ts'

const DAY = 86_400_000

describe('the companion’s store', () => {
  it('is for its owner alone', async () => {
    const dataDir = await temporaryFolder()
    const store = openStore(dataDir)
    store.db.exec("INSERT INTO peers VALUES ('p', 1)")
    const files = (await readdir(dataDir)).filter((name) => name.startsWith('companion.sqlite'))
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600)
    store.close()
  })

  it('says that it is damaged, keeps the file, and lets the port and the folder go', async () => {
    const dataDir = await temporaryFolder()
    const path = join(dataDir, 'companion.sqlite')
    for (const content of ['no database', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(9_000, 7)])]) {
      await writeFile(path, content)
      const error: unknown = await companion({ dataDir }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      expect(String(error)).toContain('companion.sqlite is damaged. Restore it from a backup, or move it away')
      expect(await readFile(path)).toEqual(Buffer.from(content))
    }
    await writeFile(path, '')
    expect((await companion({ dataDir })).health().status).toBe('ok')
  })

  it('notices pages that were overwritten', async () => {
    const dataDir = await temporaryFolder()
    const store = openStore(dataDir)
    const insert = store.db.prepare('INSERT INTO peers VALUES (?, 1)')
    store.transaction(() => {
      for (let count = 0; count < 2_000; count += 1) insert.run(`peer-${count}-${'x'.repeat(40)}`)
    })
    store.close()
    const path = join(dataDir, 'companion.sqlite')
    const content = await readFile(path)
    content.fill(0xff, 40_000, 60_000)
    await writeFile(path, content)
    expect(() => openStore(dataDir)).toThrow('is damaged')
  })

  it('is not touched by an older companion', async () => {
    const dataDir = await temporaryFolder()
    const db = new DatabaseSync(join(dataDir, 'companion.sqlite'))
    db.exec('PRAGMA user_version = 1000')
    db.close()
    expect(() => openStore(dataDir)).toThrow(expect.objectContaining({ code: 'ERR_STORAGE_VERSION' }))
  })

  it('undoes a change that fails half-way', async () => {
    const store = openStore(await temporaryFolder())
    expect(() =>
      store.transaction(() => {
        store.db.exec("INSERT INTO peers VALUES ('p', 1)")
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(store.db.prepare('SELECT count(*) AS n FROM peers').get()?.n).toBe(0)
    store.close()
  })

  it('forgets what is over, and who does not come back', async () => {
    const store = openStore(await temporaryFolder())
    let now = 1_000 * DAY
    const config = testConfig()
    const peers = createPeers(store, config, () => now)
    const subscriptions = createSubscriptions(store, config, () => now)
    const capabilities = createCapabilities(store, config, () => now)
    for (const peer of ['stays', 'goes']) {
      peers.know(peer, '::1')
      subscriptions.put(peer, browser('https://push.example/p').subscription)
      capabilities.put(peer, peer.padEnd(22, 'x'), { hash: 'A'.repeat(43) })
    }
    capabilities.put('stays', 'y'.repeat(22), { hash: 'A'.repeat(43), expires: now + DAY })
    const count = (table: string) => store.db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n
    now += 91 * DAY
    peers.touch('stays')
    expect(subscriptions.list('stays')).toEqual([])
    for (const room of [peers, subscriptions, capabilities]) room.sweep()
    expect(['peers', 'subscriptions', 'capabilities'].map(count)).toEqual([2, 0, 2])
    now += 90 * DAY
    peers.sweep()
    expect(['peers', 'capabilities'].map(count)).toEqual([1, 1])
    store.close()
  })
  it('gives the place of who is of no use to anybody any more, longest unseen first, and no other', async () => {
    const store = openStore(await temporaryFolder())
    let now = 1_000 * DAY
    const config = testConfig({ maxKnownPeers: 4 })
    const peers = createPeers(store, config, () => now)
    for (const peer of ['woken', 'allows', 'idle', 'newer']) {
      peers.know(peer, '::1')
      now += DAY
    }
    const subscriptions = createSubscriptions(store, config, () => now)
    const { id } = subscriptions.put('woken', browser('https://push.example/p').subscription)
    createCapabilities(store, config, () => now).put('allows', 'x'.repeat(22), { hash: 'A'.repeat(43) })
    const known = () =>
      store.db
        .prepare('SELECT id FROM peers ORDER BY seen')
        .all()
        .map(({ id: peer }) => peer)
    peers.know('first', '::1')
    expect(known()).toEqual(['woken', 'allows', 'newer', 'first'])
    now += DAY
    for (const peer of ['second', 'third']) {
      peers.know(peer, '::1')
      createCapabilities(store, config, () => now).put(peer, peer.padEnd(22, 'x'), { hash: 'A'.repeat(43) })
    }
    expect(known()).toEqual(['woken', 'allows', 'second', 'third'])
    expect(() => peers.know('fourth', '::1')).toThrow(expect.objectContaining({ code: 'ERR_LIMIT_EXCEEDED' }))
    subscriptions.remove('woken', id)
    now += DAY
    peers.know('fourth', '::1')
    expect(known()).toEqual(['allows', 'second', 'third', 'fourth'])
    store.close()
  })

  it('counts a transaction within another one as a part of it', async () => {
    const store = openStore(await temporaryFolder())
    const put = (id: string) => store.db.prepare('INSERT INTO peers VALUES (?, 1)').run(id)
    expect(() =>
      store.transaction(() => {
        store.transaction(() => put('p'))
        throw new Error('half-way')
      }),
    ).toThrow('half-way')
    expect(store.db.prepare('SELECT count(*) AS n FROM peers').get()?.n).toBe(0)
    store.close()
  })
})
