import { createServer, type Server } from 'node:http'

/** The app behind an origin of its own; after `release` its service worker is another version. */
export async function startProxy(appUrl: string): Promise<{ url: string; release(): void; stop(): void }> {
  let version = ''
  const server: Server = createServer((request, response) => {
    void fetch(new URL(request.url ?? '/', appUrl)).then(async (upstream) => {
      const body = Buffer.from(await upstream.arrayBuffer())
      const changed = request.url === '/service-worker.js' ? Buffer.concat([body, Buffer.from(version)]) : body
      response.writeHead(upstream.status, { 'content-type': upstream.headers.get('content-type') ?? 'text/plain' })
      response.end(changed)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', () => resolve()))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://localhost:${String(port)}`,
    release: () => void (version = '\n// the next version'),
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
