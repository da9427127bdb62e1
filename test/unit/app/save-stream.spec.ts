/** The page and the service worker of a save, joined by a real port: how it ends for the browser's downloads and for the node. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { PocketNode } from '../../../src/contract/node-api.ts'
import { parseSaveOffer } from '../../../src/contract/save-link.ts'
import { saveToDownloads } from '../../../src/client/save.ts'
import { createSaver } from '../../../src/hosts/service-worker/handlers/saved.ts'
import { PocketError } from '../../../src/shared/errors.ts'

const ORIGIN = 'https://pocket.example'
const SIZE = 12_000_000
const PIECE = 1_000_000

/** How a message of the page comes to the service worker. */
let deliver: (message: () => void) => void
let answer: Promise<Response>
let frames: number
let ports: MessagePort[]

/** What of a browser such a save needs: a service worker that hears the page, and frames that open what it serves. */
beforeEach(() => {
  const saver = createSaver()
  const asked = Promise.withResolvers<Response>()
  answer = asked.promise
  frames = 0
  ports = []
  deliver = (message) => message()
  const active = {
    postMessage(data: unknown, [port]: MessagePort[] = []) {
      if (port === undefined) return
      ports.push(port)
      deliver(() => saver.offer(parseSaveOffer(data), port))
    },
  }
  vi.stubGlobal('self', { location: { origin: ORIGIN } })
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => ({ active }) } })
  vi.stubGlobal('document', {
    createElement: () => ({ src: '', hidden: false, remove: () => void frames-- }),
    body: {
      append({ src }: { src: string }) {
        frames++
        const request = new Request(new URL(src, ORIGIN))
        expect(saver.canHandle(request, new URL(request.url))).toBe(true)
        asked.resolve(saver.handle(request, new URL(request.url)))
      },
    },
  })
})

afterEach(() => {
  for (const port of ports) port.close()
  vi.unstubAllGlobals()
})

/** A file of `SIZE` bytes, of which `there` are on this phone. */
function nodeWith(there: number) {
  const state = { cancelled: false, given: 0 }
  const node = {
    cat: () =>
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (state.given === SIZE) return controller.close()
            if (state.given >= there) return controller.error(new PocketError('ERR_NOT_FOUND'))
            state.given += PIECE
            controller.enqueue(new Uint8Array(PIECE))
          },
          cancel: () => void (state.cancelled = true),
        },
        { highWaterMark: 0 },
      ),
  }
  return { node: node as unknown as PocketNode, state }
}

/** What a browser's downloads do with an answer: so many bytes, and whether they were all. */
async function download(response: Response): Promise<{ bytes: number; error?: unknown }> {
  let bytes = 0
  try {
    for await (const piece of response.body!) bytes += piece.byteLength
    return { bytes }
  } catch (error) {
    return { bytes, error }
  }
}

const FILE = { path: 'cid', name: 'film', size: SIZE }

it('hands over all of it, and lets go of the frame', async () => {
  const { node } = nodeWith(SIZE)
  const [, end] = await Promise.all([saveToDownloads(node, FILE), answer.then(download)])
  expect(end).toEqual({ bytes: SIZE })
  expect((await answer).headers.get('content-length')).toBe(String(SIZE))
  await vi.waitFor(() => expect(frames).toBe(0))
})

it('is taken by a frame that asks before the message of its page is there', async () => {
  deliver = (message) => void setTimeout(message, 50)
  const { node } = nodeWith(SIZE)
  const [, end] = await Promise.all([saveToDownloads(node, FILE), answer.then(download)])
  expect(end).toEqual({ bytes: SIZE })
  await vi.waitFor(() => expect(frames).toBe(0))
})

it('breaks off with an error when a block is missing, never as if it were all', async () => {
  const { node } = nodeWith(2 * PIECE)
  const [, end] = await Promise.all([saveToDownloads(node, FILE), answer.then(download)])
  expect(end).toMatchObject({ error: { code: 'ERR_NOT_FOUND' } })
  expect(end.bytes).toBeLessThan(SIZE)
  await vi.waitFor(() => expect(frames).toBe(0))
})

it('stops reading when the person cancels the download', async () => {
  const { node, state } = nodeWith(SIZE)
  const saving = saveToDownloads(node, FILE)
  const reader = (await answer).body!.getReader()
  await reader.read()
  await Promise.all([saving, reader.cancel()])
  await vi.waitFor(() => expect([state.cancelled, frames]).toEqual([true, 0]))
  expect(state.given).toBeLessThan(SIZE)
})
