import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, randomFile, test } from '../support/fixtures.ts'
import { startKubo, type Kubo } from '../support/kubo.ts'
import { contentSha256, onNode, placeInput } from '../support/on-node.ts'

const MiB = 1024 * 1024
/** Bytes of the node of a folder from which on it becomes HAMT shards, in the profile. */
const THRESHOLD = 256 * 1024

/** What both are given: files whose content is their number. */
interface Tree {
  name: string
  paths: string[]
}

const numbered = (count: number, path: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => path(n))

/** Names of files of one byte that make a folder's node exactly so large: a link takes 44 bytes and its name. */
function namesFor(bytes: number): string[] {
  const link = 52
  // 4 bytes say that it is a folder. The last name takes up what no whole link fits into.
  const count = Math.floor((bytes - 4) / link) - 1
  const rest = bytes - 4 - count * link
  return [...numbered(count, (n) => String(n).padStart(8, '0')), 'z'.repeat(rest - 44)]
}

test.describe('content of a phone and of Kubo', () => {
  let kubo: Kubo
  let folder: string
  test.beforeEach(async () => {
    kubo = await startKubo({ profiles: ['unixfs-v1-2025'] })
    folder = await mkdtemp(join(tmpdir(), 'pocket-tree-'))
  })
  test.afterEach(async () => {
    await kubo.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('files get the same CIDs', async ({ phone }) => {
    const { page } = await phone('phone')
    for (const size of [0, 1, MiB - 1, MiB, MiB + 1, 9 * MiB + 17]) {
      const file = randomFile(size, `${size} bytes`)
      const expected = await kubo.ipfs(['add', '--quieter', '--only-hash'], { input: file.buffer })
      await page.setInputFiles(await placeInput(page), file)
      const cids = await onNode(page, async (node) => {
        const input = document.querySelector<HTMLInputElement>('#test-input')
        const [picked] = input?.files ?? []
        if (picked === undefined) throw new Error('no file is picked')
        input?.remove()
        // As a File, which is kept whole, and as a stream, which is kept in packs.
        const added = [await node.add(picked), await node.add(picked.stream())]
        return added.map(({ cid }) => cid)
      })
      expect(cids, `${size} bytes`).toEqual(Array(2).fill(expected.toString().trim()))
    }
  })

  const trees: Tree[] = [
    { name: 'small', paths: ['a', 'b/c', 'b/d/e', 'ünïcode'] },
    { name: 'entries', paths: numbered(5000, (n) => `${n}.txt`) },
    { name: 'shards', paths: numbered(7000, (n) => `file number ${n}.txt`) },
    { name: 'nested', paths: [...numbered(12_000, (n) => `a/${n % 2}/a rather long name ${n}.txt`), 'top'] },
    { name: 'subfolders', paths: numbered(6000, (n) => `folder number ${n}/x`) },
    { name: 'threshold', paths: namesFor(THRESHOLD) },
    { name: 'beyond', paths: namesFor(THRESHOLD + 1) },
  ]
  test('folders get the same CIDs, in one block and as HAMT shards', async ({ phone }) => {
    test.setTimeout(180_000)
    const { page } = await phone('phone')
    for (const { name, paths } of trees) {
      const oneByte = name === 'threshold' || name === 'beyond'
      const root = join(folder, name)
      for (const each of new Set(paths.map((path) => dirname(join(root, path))))) await mkdir(each, { recursive: true })
      await Promise.all(paths.map((path, n) => writeFile(join(root, path), oneByte ? 'x' : String(n))))
      const expected = await kubo.ipfs(['add', '-r', '--quieter', '--only-hash', root])
      const added = await onNode(
        page,
        (node, { paths, name, oneByte }) => {
          const bytes = new TextEncoder()
          return node.add(
            paths.map((path, n) => ({ path: `${name}/${path}`, content: bytes.encode(oneByte ? 'x' : String(n)) })),
          )
        },
        { paths, name, oneByte },
      )
      expect(added, name).toMatchObject({ cid: expected.toString().trim(), files: paths.length })
    }
  })

  test('a CAR goes from the phone to Kubo', async ({ phone }) => {
    const { page } = await phone('phone')
    const file = randomFile(3 * MiB + 17, 'car to kubo')
    await page.setInputFiles(await placeInput(page), file)
    const { cid, car } = await onNode(page, async (node) => {
      const [picked] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
      if (picked === undefined) throw new Error('no file is picked')
      const entries = [
        { path: 'f/film', content: picked },
        { path: 'f/empty', content: new Uint8Array() },
      ]
      const { cid } = await node.add(entries)
      const blob = await new Response(node.car.export(cid) as ReadableStream<BufferSource>).blob()
      const url = await new Promise<string>((resolve) => {
        const reader = new FileReader()
        reader.onload = () => resolve(reader.result as string)
        reader.readAsDataURL(blob)
      })
      return { cid, car: url.slice(url.indexOf(',') + 1) }
    })
    const report = await kubo.ipfs(['dag', 'import', '--stats'], { input: Buffer.from(car, 'base64') })
    expect(report.toString()).toContain(`Pinned root\t${cid}\tsuccess`)
    expect((await kubo.ipfs(['cat', `${cid}/film`])).equals(file.buffer)).toBe(true)
    expect(await kubo.ipfs(['cat', `${cid}/empty`])).toHaveLength(0)
  })

  test('a CAR goes from Kubo to the phone, which keeps what it holds', async ({ phone }) => {
    const file = randomFile(3 * MiB + 17, 'car from kubo')
    const input = join(folder, 'f')
    await mkdir(input)
    await writeFile(join(input, 'film'), file.buffer)
    await writeFile(join(input, 'empty'), '')
    const cid = (await kubo.ipfs(['add', '-r', '--quieter', input])).toString().trim()
    const buffer = await kubo.ipfs(['dag', 'export', '--progress=false', cid])
    const { page } = await phone('phone')
    await page.setInputFiles(await placeInput(page), { name: 'f.car', mimeType: 'application/vnd.ipld.car', buffer })
    const results = await onNode(page, async (node) => {
      const [picked] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
      if (picked === undefined) throw new Error('no file is picked')
      return [await node.car.import(picked), await node.car.import(picked.stream())]
    })
    for (const result of results) expect(result).toMatchObject({ roots: [cid], incomplete: [], dropped: 0 })
    expect(await contentSha256(page, `${cid}/film`)).toBe(file.sha256)
    const pins = await onNode(page, (node) => Array.fromAsync(node.pin.ls()))
    expect(pins).toMatchObject([{ cid, name: 'f', type: 'directory' }])
  })
})
