/** Bad input by the client API: a stable code, nothing half-stored, and a node that goes on. The screens: bad-input-screens.spec.ts. */
import { rm, truncate, writeFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import type { PocketNode } from '../../src/contract/node-api.ts'
import { expect, randomFile, test, type RandomFile } from '../support/fixtures.ts'
import { holdNode } from '../support/held-node.ts'
import { folderNode, startHostilePeer, type HostilePeer } from '../support/hostile-peer.ts'
import { addPicked, contentSha256, kept, onNode, placeInput } from '../support/on-node.ts'
import { freePort } from '../support/process.ts'
import { startUntrustedServer } from '../support/untrusted-server.ts'

const MiB = 1024 * 1024
const SOMEONE = '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'

type Call = (node: PocketNode) => Promise<unknown>

test('what is malformed gets a code of its own, and the node goes on', async ({ phone }) => {
  const { page } = await phone('malformed')
  const calls: [what: string, call: Call, code: string][] = [
    ['a link that is cut off', (node) => node.open('https://pocket.example/#/get/'), 'ERR_INVALID_LINK'],
    [
      'a link with a broken escape',
      (node) => node.open('https://pocket.example/#/get/bafkreifzjut3te2n?name=%E0%A4'),
      'ERR_INVALID_LINK',
    ],
    [
      'a link with a size that is none',
      (node) => node.open('https://pocket.example/#/get/bafkreifzjut3te2n?size=-1'),
      'ERR_INVALID_LINK',
    ],
    [
      'a link of ten thousand characters',
      (node) => node.open(`https://pocket.example/#/get/bafkreifz?name=${'x'.repeat(10_000)}`),
      'ERR_INVALID_LINK',
    ],
    ['a link of another site', (node) => node.open('https://example.com/watch?v=1'), 'ERR_INVALID_LINK'],
    ['a link that runs a script', (node) => node.open('javascript:alert(1)'), 'ERR_INVALID_LINK'],
    [
      'a link with an address that is none',
      (node) =>
        node.open(
          'https://pocket.example/#/get/bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e?via=/ip4/999.1.1.1/tcp/1/ws',
        ),
      'ERR_INVALID_MULTIADDR',
    ],
    [
      'a link whose CID is damaged',
      (node) => node.open('https://pocket.example/#/get/bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5'),
      'ERR_INVALID_CID',
    ],
    ['a CID that is none', (node) => node.stat('notacid12345'), 'ERR_INVALID_CID'],
    ['a path that is none', (node) => node.stat('/ipns/example.com'), 'ERR_INVALID_PATH'],
    [
      'a codec of others',
      (node) => node.pin.add('bafyreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi'),
      'ERR_UNSUPPORTED_CODEC',
    ],
    ['a multiaddr that is none', (node) => node.dial('/ip4/999.1.1.1/tcp/1'), 'ERR_INVALID_MULTIADDR'],
    [
      'an address that no browser can dial',
      (node) => node.dial('/ip4/203.0.113.7/udp/4001/quic-v1'),
      'ERR_DIAL_FAILED',
    ],
    ['a peer id that is none', (node) => node.dial('12D3KooWnope'), 'ERR_INVALID_PEER_ID'],
    ['a relay that is none', (node) => node.setRelays(['relay.example']), 'ERR_INVALID_MULTIADDR'],
    [
      'a range that is none',
      (node) =>
        node.cat('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', { offset: -1 }).getReader().read(),
      'ERR_INVALID_ARGUMENT',
    ],
    ['nothing to add', (node) => node.add([]), 'ERR_INVALID_ARGUMENT'],
    ['a source that is none', (node) => node.add('text' as unknown as Blob), 'ERR_INVALID_ARGUMENT'],
    ['the parent folder', (node) => node.add([{ path: '../escape', content: new Blob(['a']) }]), 'ERR_INVALID_NAME'],
    ['an absolute path', (node) => node.add([{ path: '/etc/passwd', content: new Blob(['a']) }]), 'ERR_INVALID_NAME'],
    ['a NUL in a name', (node) => node.add([{ path: 'a\0b', content: new Blob(['a']) }]), 'ERR_INVALID_NAME'],
    [
      'a name of 256 bytes',
      (node) => node.add([{ path: 'n'.repeat(256), content: new Blob(['a']) }]),
      'ERR_INVALID_NAME',
    ],
    [
      'the same path twice',
      (node) =>
        node.add([
          { path: 'a', content: new Blob(['1']) },
          { path: 'a', content: new Blob(['2']) },
        ]),
      'ERR_INVALID_NAME',
    ],
    [
      'a file that is a folder too',
      (node) =>
        node.add([
          { path: 'a', content: new Blob(['1']) },
          { path: 'a/b', content: new Blob(['2']) },
        ]),
      'ERR_INVALID_NAME',
    ],
  ]
  for (const [what, call, code] of calls) {
    expect.soft(await codeOf(onNode(page, call)), what).toBe(code)
  }
  await expectUsable(page)
})

test('a folder of 10,000 entries is added, listed and read', async ({ phone }) => {
  const { page } = await phone('many')
  const { files, size, names, last } = await onNode(page, async (node) => {
    const entries = Array.from({ length: 10_000 }, (_, i) => ({ path: `many/f${i}`, content: new Blob([`${i}`]) }))
    const added = await node.add(entries)
    const found = new Set<string>()
    for await (const { name } of node.ls(added.cid)) found.add(name)
    const content = node.cat(`${added.cid}/f9999`) as ReadableStream<BufferSource>
    return { ...added, names: found.size, last: await new Response(content).text() }
  })
  expect({ files, size, names, last }).toEqual({ files: 10_000, size: 38_890, names: 10_000, last: '9999' })
  await expectUsable(page, ['many'])
})

test.describe('a peer that lies', () => {
  let peer: HostilePeer
  test.beforeEach(async () => {
    peer = await startHostilePeer()
  })
  test.afterEach(async () => {
    await peer.stop()
  })

  test('with wrong or too large blocks is not believed', async ({ phone }) => {
    const { page } = await phone('lied-to')
    const large = await peer.give(randomFile(2 * MiB + 1, 'too large').buffer)
    const forged = await peer.give(randomFile(1000, 'forged').buffer)
    peer.giveForged(forged)
    const other = await peer.give(randomFile(1001, 'other').buffer)
    peer.giveOther(other, new Uint8Array(1001))
    const noise = await peer.give(randomFile(1002, 'noise').buffer)
    peer.giveNoise(noise)
    const broken = await peer.give(new Uint8Array([0xff, 0xff, 0xff]), 0x70)
    const honest = randomFile(1003, 'honest')
    const found = await peer.give(honest.buffer)

    const codes = onNode(
      page,
      async (node, { multiaddr, cids }) => {
        await node.dial(multiaddr)
        const ask = (cid: string): Promise<string> =>
          node.pin.add(cid).then(
            () => 'kept',
            (error: unknown) => (error as { code: string }).code,
          )
        return Promise.all(cids.map(ask))
      },
      { multiaddr: peer.multiaddr, cids: [large, forged, other, noise, broken] },
    )
    // At once; the others are looked for until patience ends, since somebody else may have them.
    await expect.poll(() => peer.asked).toEqual(expect.arrayContaining([large, forged, other, noise, broken]))
    expect(await contentSha256(page, found)).toBe(honest.sha256)
    expect(await codes).toEqual([
      'ERR_BLOCK_TOO_LARGE',
      'ERR_BLOCK_HASH_MISMATCH',
      'ERR_NOT_FOUND',
      'ERR_NOT_FOUND',
      'ERR_INVALID_BLOCK',
    ])
    await expectUsable(page)
  })

  test('does not keep an honest peer’s block away', async ({ phone }) => {
    const { page } = await phone('between')
    const honest = await startHostilePeer()
    try {
      const file = randomFile(5000, 'both have it')
      const cid = await honest.give(file.buffer)
      peer.giveForged(cid)
      const held = await holdNode(page)
      await held.run(async ({ node }, { addr }) => void (await node.dial(addr)), { addr: peer.multiaddr })
      await held.run(({ node, start }, target) => start('fetch', node.pin.add(target.cid)), { cid })
      await expect.poll(() => peer.asked).toContain(cid)
      await held.run(async ({ node }, { addr }) => void (await node.dial(addr)), { addr: honest.multiaddr })
      await held.job('fetch')
      expect(await contentSha256(page, cid)).toBe(file.sha256)
    } finally {
      await honest.stop()
    }
  })

  test('about the names in a folder breaks no listing', async ({ phone }) => {
    const { page } = await phone('names')
    const names = ['..', '.', '', 'a/b', '\0', 'x'.repeat(5000), '\u202efdp.exe', 'fine']
    const { bytes, codec, leaf } = await folderNode(names)
    await peer.give(leaf)
    const cid = await peer.give(bytes, codec)
    const listed = await onNode(
      page,
      async (node, target) => {
        await node.dial(target.multiaddr)
        await node.pin.add(target.cid, { name: '..' })
        const found: string[] = []
        for await (const { name } of node.ls(target.cid)) found.push(name)
        return found
      },
      { multiaddr: peer.multiaddr, cid },
    )
    expect(listed).toContain('fine')
    await expectUsable(page, ['..'])
  })
})

test.describe('the network', () => {
  test('without the relay that was named: the status says so with a code', async ({ phone }) => {
    const { page } = await phone('no-relay')
    const addr = `/ip4/127.0.0.1/tcp/${await freePort()}/ws/p2p/${SOMEONE}`
    await onNode(page, (node, argument) => node.setRelays([argument.addr]), { addr })
    const relay = (): Promise<object | undefined> =>
      onNode(page, async (node, argument) => (await node.status()).relays.find((each) => each.addr === argument.addr), {
        addr,
      })
    await expect
      .poll(relay, { timeout: 20_000 })
      .toMatchObject({ state: 'failed', error: { code: 'ERR_RELAY_UNREACHABLE' } })
    await expectUsable(page)
    await onNode(page, (node) => node.setRelays([]))
    expect(await relay()).toBeUndefined()
  })

  test('with a certificate that the browser refuses', async ({ phone }) => {
    const { page } = await phone('refused')
    const server = await startUntrustedServer()
    try {
      const addr = `/dns4/localhost/tcp/${server.port}/tls/ws/p2p/${SOMEONE}`
      // A browser does not say why a WebSocket failed: the code for sure is that of a failed dial.
      expect(await codeOf(dial(page, addr))).toBe('ERR_DIAL_FAILED')
      expect(server.refusals()).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
    await expectUsable(page)
  })

  test('without WebRTC: a code for who asks for it, the relay for the rest', async ({ phone }) => {
    const { page } = await phone('no-webrtc', {
      initScript: () => void Reflect.deleteProperty(globalThis, 'RTCPeerConnection'),
    })
    const status = await onNode(page, (node) => node.status())
    expect(status.webrtc).toBe('unsupported')
    expect(await codeOf(dial(page, `/webrtc/p2p/${SOMEONE}`))).toBe('ERR_NO_WEBRTC')
    await expectUsable(page)
  })
})

test.describe('a picked file', () => {
  test('that is gone when it is read', async ({ phone }) => {
    const { page } = await phone('gone')
    const path = await pick(page, randomFile(3 * MiB, 'gone'))
    await rm(path)
    expect(await codeOf(addPicked(page))).toBe('ERR_SOURCE_UNREADABLE')
    await expectUsable(page)
  })

  test('that was changed since it was picked', async ({ phone }) => {
    const { page } = await phone('changed')
    const path = await pick(page, randomFile(3 * MiB, 'changed'))
    await writeFile(path, randomFile(2 * MiB, 'by another app').buffer)
    expect(await codeOf(addPicked(page))).toMatch(/^ERR_SOURCE_(CHANGED|UNREADABLE)$/)
    await expectUsable(page)
  })

  test('that is cut off while it is read is whole or not there', async ({ phone }) => {
    const { page } = await phone('cut-off')
    const file = randomFile(64 * MiB, 'cut off')
    const path = await pick(page, file)
    const held = await holdNode(page)
    await held.run(({ node, start, notes }) => {
      const [picked] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
      if (picked === undefined) throw new Error('no file is picked')
      notes.begun = new Promise<void>((resolve) => {
        start('add', node.add(picked, { onProgress: () => resolve() }))
      })
    })
    await held.run(({ notes }) => notes.begun as Promise<void>)
    await truncate(path, MiB)
    const result = await codeOf(held.job('add'))
    if (result === 'none') {
      const [cid] = Object.values(await kept(page))
      expect(await contentSha256(page, cid ?? '')).toBe(file.sha256)
      await expectUsable(page, [file.name])
    } else {
      expect(result).toMatch(/^ERR_SOURCE_(CHANGED|UNREADABLE)$/)
      await expectUsable(page)
    }
  })
})

test('a full storage: a code, nothing half-stored, and room for what fits', async ({ phone }) => {
  const one = await phone('full')
  const { page } = one
  // Before the first write: Chromium looks at the quota again only after some time.
  await one.overrideQuota(24 * MiB)
  await expectUsable(page)
  await pick(page, randomFile(40 * MiB, 'does not fit'))
  expect(await codeOf(addPicked(page))).toBe('ERR_QUOTA_EXCEEDED')
  const received = await onNode(page, (node) =>
    node
      .add(
        new ReadableStream<Uint8Array>({
          pull: (controller) => controller.enqueue(crypto.getRandomValues(new Uint8Array(65536))),
        }),
        { name: 'endless' },
      )
      .then(
        () => 'none',
        (error: unknown) => (error as { code: string }).code,
      ),
  )
  expect(received).toBe('ERR_QUOTA_EXCEEDED')
  await expectUsable(page)
})

test('a browser without IndexedDB: all works until the app closes, and the status says so', async ({ phone }) => {
  const noStorage = (): void => {
    indexedDB.open = () => {
      throw new DOMException('A mutation operation was attempted on a database that did not allow it.', 'SecurityError')
    }
  }
  const { page } = await phone('private', { initScript: noStorage, workerScript: noStorage })
  const storage = async (): Promise<object> => (await onNode(page, (node) => node.status())).storage
  expect(await storage()).toMatchObject({ kind: 'memory', code: 'ERR_STORAGE_UNAVAILABLE' })
  await expectUsable(page)
  const file = randomFile(3 * MiB, 'in memory')
  await pick(page, file)
  const { cid } = await addPicked(page)
  expect(await contentSha256(page, cid)).toBe(file.sha256)
})

async function pick(page: Page, file: RandomFile): Promise<string> {
  const path = test.info().outputPath(file.name)
  await writeFile(path, file.buffer)
  await page.locator(await placeInput(page)).setInputFiles(path)
  return path
}

function dial(page: Page, addr: string): Promise<unknown> {
  return onNode(page, (node, target) => node.dial(target.addr), { addr })
}

/** The stable code of a failure, `none` without one. */
async function codeOf(result: Promise<unknown>): Promise<string> {
  try {
    await result
    return 'none'
  } catch (error) {
    return /\bERR_[A-Z_]+\b/.exec((error as Error).message)?.[0] ?? (error as Error).message
  }
}

/** It adds and reads, keeps nothing but `names`, and nothing is under way. */
async function expectUsable(page: Page, names: string[] = []): Promise<void> {
  expect(Object.keys(await kept(page)).sort()).toEqual([...names].sort())
  const usable = await onNode(page, async (node) => {
    const text = `still usable ${crypto.randomUUID()}`
    const { cid } = await node.add(new Blob([text]), { name: 'usable' })
    const read = await new Response(node.cat(cid) as ReadableStream<BufferSource>).text()
    await node.pin.rm(cid)
    const running: string[] = []
    await new Promise<void>((resolve) => {
      // What is under way is told before the peers are.
      const watch = node.watch((event) => {
        if (event.type === 'activity' && event.activity.state === 'running') running.push(event.activity.name)
        if (event.type !== 'peers') return
        queueMicrotask(() => watch.stop())
        resolve()
      })
    })
    return { same: read === text, running }
  })
  expect(usable).toEqual({ same: true, running: [] })
}
