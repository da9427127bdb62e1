import { saveId, type SaveMethods, type SaveOffer } from '../../../contract/save-link.ts'
import { createRpcClient } from '../../../rpc/client.ts'
import type { Handler } from '../dispatch.ts'

export interface Saver extends Handler {
  /** A page serves the bytes of a file on this port. */
  offer(offer: SaveOffer, port: MessagePort): void
}

/**
 * Passes files from a page to the browser's downloads as they come: nothing of them is kept here. What strangers sent
 * is never shown in the app's origin: it goes to the disk, and is no page even if a browser should open it.
 */
export function createSaver(): Saver {
  const offers = new Map<string, { offer: SaveOffer; port: MessagePort }>()
  return {
    offer: (offer, port) => void offers.set(offer.id, { offer, port }),
    canHandle: (request, url) => request.method === 'GET' && saveId(url.pathname) !== undefined,
    async handle(_request, url) {
      const id = saveId(url.pathname) ?? ''
      const found = offers.get(id)
      // Once: a reload of the frame must not save the file again.
      offers.delete(id)
      if (found === undefined) return new Response('Nothing to save here', { status: 404 })
      const { offer, port } = found
      const bytes = createRpcClient<SaveMethods>(port).bytes('read', undefined)
      return new Response(bytes as BodyInit, {
        headers: {
          'content-type': 'application/octet-stream',
          'content-disposition': `attachment; filename*=UTF-8''${encodeRfc5987(offer.name)}`,
          'content-length': String(offer.size),
          'content-security-policy': "sandbox; default-src 'none'",
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-store',
        },
      })
    },
  }
}

/** RFC 5987: what `encodeURIComponent` leaves as it is and the header may not have. */
function encodeRfc5987(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
