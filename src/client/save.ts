import type { PocketNode } from '../contract/node-api.ts'
import { SAVE_ALIVE, savePath, type SaveOffer } from '../contract/save-link.ts'
import { serveRpc } from '../rpc/server.ts'
import { PocketError } from '../shared/errors.ts'

export interface SaveRequest {
  /** Of a file: `/ipfs/<cid>/…` or a CID. */
  path: string
  name: string
  /** Bytes of the file, exactly. */
  size: number
}

/** Three in the 30 s that a service worker lives without a message. */
const ALIVE_MS = 10_000
/** A browser asks for what a frame opens within milliseconds; one that does not take it will not, in ms. */
const TAKE_MS = 5_000

/**
 * Passes a file through the service worker to the browser's downloads, in pieces: none of page, worker and service worker
 * holds more than a few of them, however large the file. Resolves when the browser has begun to take it; how it ends is
 * for the browser to show. The page has to stay open until then.
 * @throws PocketError ERR_NO_HOST when there is no service worker, ERR_TIMEOUT when the browser does not take the file
 */
export async function saveToDownloads(node: PocketNode, { path, name, size }: SaveRequest): Promise<void> {
  // A page of a first visit has no controller; the frame has.
  const worker = (await navigator.serviceWorker.getRegistration())?.active
  if (!worker) throw new PocketError('ERR_NO_HOST', 'There is no service worker to save through')
  const offer: SaveOffer = { type: 'save', id: crypto.randomUUID(), name, size }
  const { port1, port2 } = new MessageChannel()
  const taken = Promise.withResolvers<void>()
  const frame = document.createElement('iframe')
  frame.hidden = true
  const alive = setInterval(() => worker.postMessage(SAVE_ALIVE), ALIVE_MS)
  const server = serveRpc(port1, {
    read: {
      kind: 'bytes',
      handle: () => {
        clearTimeout(timer)
        taken.resolve()
        return node.cat(path)
      },
    },
  })
  // The service worker closes the port when the browser has all of it, or wants no more.
  void server.closed.then(() => {
    clearInterval(alive)
    frame.remove()
  })
  const timer = setTimeout(() => {
    server.close()
    taken.reject(new PocketError('ERR_TIMEOUT', 'The browser did not take the file'))
  }, TAKE_MS)
  worker.postMessage(offer, [port2])
  frame.src = savePath(offer.id, name)
  document.body.append(frame)
  return taken.promise
}
