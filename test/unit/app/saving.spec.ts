/** What a person sees of a save that does not come to its end, and what is left on the disk. */
import { afterEach, expect, it, vi } from 'vitest'
import type { PocketNode } from '../../../src/contract/node-api.ts'
import { CAPS } from '../../../src/app/content/caps.ts'
import { FileActions } from '../../../src/app/state/file-actions.svelte.ts'
import { Notices } from '../../../src/app/state/notices.svelte.ts'
import { describeFailure, t } from '../../../src/app/strings/index.ts'
import { PocketError } from '../../../src/shared/errors.ts'

const FILE = { path: 'cid/film', name: 'film', size: CAPS.quickSave + 1, type: 'file' } as const
const FOLDER = { path: 'cid', name: 'set', size: 3, type: 'directory' } as const
const MISSING = new PocketError('ERR_NOT_FOUND')

/** A file of the disk, and what became of it. */
function diskFile() {
  const file = { bytes: 0, end: 'open', reason: undefined as unknown }
  const writable = new WritableStream<Uint8Array>({
    write: ({ byteLength }) => void (file.bytes += byteLength),
    close: () => void (file.end = 'complete'),
    abort: (reason: unknown) => void Object.assign(file, { end: 'aborted', reason }),
  })
  return { file, handle: { createWritable: async () => writable } }
}

/** Content that comes to one piece, then to `rest`. */
function content(rest: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
  const source = { cancelled: false }
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(1000)),
    pull: (controller) => rest(controller),
    cancel: () => void (source.cancelled = true),
  })
  return { source, stream }
}

/** The actions of a page over such a node; the dialogs of the system, which no test can drive, are `dialogs`. */
function page(node: Partial<PocketNode>, dialogs: object) {
  vi.stubGlobal('window', dialogs)
  const notices = new Notices()
  const app = { node: { ready: Promise.resolve(node) }, notices }
  return { actions: new FileActions(app as never), notices }
}

afterEach(() => vi.unstubAllGlobals())

it('says nothing when the person closes the dialog, asks nothing of the node, and can be begun again', async () => {
  const cat = vi.fn(() => content((controller) => controller.close()).stream)
  const { file, handle } = diskFile()
  const showSaveFilePicker = vi.fn().mockRejectedValueOnce(new DOMException('closed', 'AbortError'))
  const { actions, notices } = page({ cat }, { showSaveFilePicker })
  await actions.save(FILE)
  expect([notices.current, actions.busy, cat.mock.calls]).toEqual([undefined, undefined, []])
  showSaveFilePicker.mockResolvedValue(handle)
  await actions.save(FILE)
  expect(notices.current?.text).toBe(t.item.saved('film'))
  expect(file).toMatchObject({ end: 'complete', bytes: 1000 })
})

it('gives up the file and stops reading when the person leaves in mid-save, and says nothing', async () => {
  const reading = Promise.withResolvers<void>()
  const { source, stream } = content(() => reading.resolve())
  const { file, handle } = diskFile()
  const { actions, notices } = page({ cat: () => stream }, { showSaveFilePicker: async () => handle })
  const saving = actions.save(FILE)
  await reading.promise
  expect(actions.busy).toBe('save')
  actions.close()
  await saving
  expect([file.end, source.cancelled]).toEqual(['aborted', true])
  expect([notices.current, actions.busy]).toEqual([undefined, undefined])
})

it('gives up the file and says why when a block is missing in mid-save, and can be begun again', async () => {
  const [first, second] = [diskFile(), diskFile()]
  const cat = vi
    .fn<() => ReadableStream<Uint8Array>>()
    .mockReturnValueOnce(content((controller) => controller.error(MISSING)).stream)
    .mockReturnValueOnce(content((controller) => controller.close()).stream)
  const showSaveFilePicker = vi.fn().mockResolvedValueOnce(first.handle).mockResolvedValueOnce(second.handle)
  const { actions, notices } = page({ cat }, { showSaveFilePicker })
  await actions.save(FILE)
  expect(first.file).toMatchObject({ end: 'aborted', reason: MISSING })
  expect(notices.current).toMatchObject({ failure: describeFailure(MISSING) })
  await actions.save(FILE)
  expect(second.file.end).toBe('complete')
  expect(notices.current?.text).toBe(t.item.saved('film'))
})

it('says why a folder is not whole, and leaves no part of a file as one', async () => {
  const disk = new Map([
    ['whole', diskFile()],
    ['broken', diskFile()],
  ])
  const folder = {
    keys: async function* () {},
    getDirectoryHandle: async () => folder,
    getFileHandle: async (name: string) => disk.get(name)?.handle,
  }
  const node = {
    ls: async function* () {
      for (const name of disk.keys()) yield { name, cid: name, size: 1000, type: 'file' as const }
    },
    cat: (cid: string) =>
      content((controller) => (cid === 'whole' ? controller.close() : controller.error(MISSING))).stream,
  }
  const { actions, notices } = page(node, { showDirectoryPicker: async () => folder })
  await actions.save(FOLDER)
  expect(Array.from(disk.values(), ({ file }) => file.end)).toEqual(['complete', 'aborted'])
  expect(notices.current).toMatchObject({ failure: describeFailure(MISSING) })
})
