import { createServer } from 'node:net'
import { isIPv6 } from 'node:net'
import { PocketError } from '../../shared/errors.ts'
import type { Server, Socket } from 'node:net'

export interface Listening {
  /** The port, the same on all hosts. */
  port: number
  /** Hosts really listened on: a machine without IPv6 has fewer than asked for. */
  hosts: string[]
  /** Accepts no more. Open sockets stay. */
  close(): Promise<void>
}

/** With port 0 the first host chooses and the others may find that number taken. */
const ATTEMPTS_FOR_FREE_PORT = 8

/** Opens one port on all `hosts`. Throws ERR_PORT_BUSY, or ERR_INVALID_ARGUMENT for a host or port that cannot be had. */
export async function listen(
  hosts: readonly string[],
  port: number,
  onSocket: (socket: Socket) => void,
): Promise<Listening> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listenOnce(hosts, port, onSocket)
    } catch (error) {
      const again = port === 0 && error instanceof PocketError && error.code === 'ERR_PORT_BUSY'
      if (!again || attempt === ATTEMPTS_FOR_FREE_PORT) throw error
    }
  }
}

async function listenOnce(
  hosts: readonly string[],
  port: number,
  onSocket: (socket: Socket) => void,
): Promise<Listening> {
  const servers: Server[] = []
  const bound: string[] = []
  const missing: unknown[] = []
  let chosen = port
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
  }
  try {
    for (const host of hosts) {
      const server = createServer({ noDelay: true }, onSocket)
      try {
        chosen = await bind(server, host, chosen)
      } catch (error) {
        // No IPv6 on this machine: what remains is enough, unless nothing does.
        if (!isIPv6(host) || !['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))) throw error
        missing.push(error)
        continue
      }
      servers.push(server)
      bound.push(host)
    }
    if (bound.length === 0) throw missing[0]
  } catch (error) {
    // Not awaited: a server with a socket of a client too early would hold back the message.
    void close()
    throw describe(error, chosen)
  }
  return { port: chosen, hosts: bound, close }
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: isIPv6(host) }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function describe(error: unknown, port: number): PocketError {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new PocketError(
        'ERR_PORT_BUSY',
        `Port ${port} is taken by another program. Stop it or choose another port.`,
        {
          cause: error,
          detail: { port },
        },
      )
    case 'EACCES':
      return new PocketError('ERR_INVALID_ARGUMENT', `This user may not open port ${port}. Choose one from 1024 up.`, {
        cause: error,
      })
    default: {
      const reason = error instanceof Error ? error.message : String(error)
      return new PocketError('ERR_INVALID_ARGUMENT', `The companion cannot listen: ${reason}`, { cause: error })
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
