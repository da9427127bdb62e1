/** A tiny server for the helpers' own tests: pages from memory, on the loopback interface. */
import { once } from 'node:events'
import { createServer } from 'node:http'

export interface StaticServer {
  /** `http://localhost:<port>`: a secure context, as the app has it. */
  readonly url: string
  stop(): Promise<void>
}

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript' }

/** `files` maps paths (`/worker.js`) to their text; `/` is an empty page unless given. */
export async function serveStatic(files: Record<string, string>): Promise<StaticServer> {
  const pages: Record<string, string> = { '/': '<!doctype html><meta charset="utf-8"><title>test</title>', ...files }
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const body = pages[path]
    const type = TYPES[path.split('.').pop() ?? ''] ?? 'text/html'
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body)
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://localhost:${address.port}`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
