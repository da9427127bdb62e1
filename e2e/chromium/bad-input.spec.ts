/** Bad input by the client API: a stable code, nothing half-stored, and a node that goes on. The screens: bad-input-screens.spec.ts. */
import type { PocketNode } from '../../src/contract/node-api.ts'
import { expect, onNode, test } from '../support/fixtures.ts'
import { codeOf, expectUsable } from '../support/usable.ts'

type Call = (node: PocketNode) => Promise<unknown>

test('what is malformed gets a code of its own, and the node goes on', async ({ phone }) => {
  const { page } = await phone('malformed')
  const calls: [what: string, call: Call, code: string][] = [
    ['a link that is cut off', (node) => node.open('https://pocket.example/#/get/'), 'ERR_INVALID_LINK'],
    [
      'a link with a broken escape',
      (node) => node.open('https://pocket.example/#/get/bafkreifzjut3te2n?via=%E0%A4'),
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
