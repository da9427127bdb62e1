import { saveId, type SaveMethods, type SaveOffer } from '../../../contract/save-link.ts'
import { createRpcClient } from '../../../rpc/client.ts'
import type { Handler } from '../handler.ts'

export interface Saver extends Handler {
  /** A page serves the bytes of a file on this port. */
  offer(offer: SaveOffer, port: MessagePort): void
}

/** Offers that wait to be taken: a page makes one and opens it at once. */
const MAX_OFFERS = 16
/** The request of a frame and the message of its page come by different ways: the offer may be so much later, in ms. */
const LATE_MS = 2_000

/**
 * Passes files from a page to the browser's downloads as they come: nothing of them is kept here. What strangers sent
 * is never shown in the app's origin: it goes to the disk, and is no page even if a browser should open it.
 */
export function createSaver(): Saver {
  const offers = new Map<string, { offer: SaveOffer; port: MessagePort }>()
  const awaited = new Map<string, () => void>()

  const late = (id: string): Promise<void> =>
    new Promise<void>((resolve) => {
      awaited.set(id, resolve)
      setTimeout(resolve, LATE_MS)
    }).finally(() => awaited.delete(id))

  return {
    offer(offer, port) {
      offers.set(offer.id, { offer, port })
      awaited.get(offer.id)?.()
      for (const [oldest, { port: forgotten }] of offers) {
        if (offers.size <= MAX_OFFERS) break
        forgotten.close()
        offers.delete(oldest)
      }
    },
    canHandle: (request, url) =>
      request.method === 'GET' && url.origin === self.location.origin && saveId(url.pathname) !== undefined,
    async handle(_request, url) {
      const id = saveId(url.pathname) ?? ''
      if (!offers.has(id)) await late(id)
      const found = offers.get(id)
      // Once: a reload of the frame must not save the file again.
      offers.delete(id)
      if (found === undefined) return new Response('Nothing to save here', { status: 404 })
      const { offer, port } = found
      const rpc = createRpcClient<SaveMethods>(port)
      // The page hears of the end, whichever it is, by the port.
      const bytes = endingWith(rpc.bytes('read', undefined), () => rpc.close())
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

function endingWith(source: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { value } = await reader.read()
          if (value !== undefined) return controller.enqueue(value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        onEnd()
      },
      async cancel(reason) {
        await reader.cancel(reason)
        onEnd()
      },
    },
    { highWaterMark: 0 },
  )
}

/** RFC 5987: what `encodeURIComponent` leaves as it is and the header may not have. */
function encodeRfc5987(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
