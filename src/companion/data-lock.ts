import { createHash } from 'node:crypto'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PocketError } from '../shared/errors.ts'
import type { Server } from 'node:net'

export interface DataLock {
  release(): Promise<void>
}

/** How long the one that holds the lock may take to say its process id, in ms. */
const ANSWER_MS = 500

/**
 * One companion on one data folder: two with one identity would take each other's phones. Held by a listening local
 * socket, which the system closes with its process however that ends, so that nothing stale is left after a power cut or
 * SIGKILL: on Linux in the abstract name space, on Windows a named pipe, elsewhere a file in the temporary folder that is
 * taken over when nobody answers behind it.
 * @throws PocketError ERR_DATA_BUSY
 */
export async function lockDataDir(dataDir: string): Promise<DataLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const folder = await realpath(dataDir)
  const name = nameOf(folder)
  const server = await take(name).catch(async (error: unknown) => {
    if (!isTaken(error)) throw error
    const holder = await askHolder(name)
    if (holder === undefined && name.startsWith(tmpdir())) {
      await rm(name, { force: true })
      return take(name)
    }
    const who = holder === undefined || holder === '' ? '' : ` (process ${holder})`
    throw new PocketError(
      'ERR_DATA_BUSY',
      `Another companion${who} is running on the data folder ${folder}. Stop it, or choose another folder.`,
      { cause: error },
    )
  })
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}

function nameOf(folder: string): string {
  const id = `pocket-companion-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`
  if (process.platform === 'linux') return `\0${id}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : join(tmpdir(), id)
}

function take(name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(String(process.pid))
    })
    server.once('error', reject)
    server.listen(name, () => {
      // It holds the folder, not the process.
      server.unref()
      resolve(server)
    })
  })
}

/** Its process id, empty if it does not say; `undefined` if nobody is there. */
function askHolder(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(name)
    let answer = ''
    socket.setEncoding('utf8')
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('data', (text: string) => (answer = (answer + text).slice(0, 16)))
    socket.once('error', () => resolve(undefined))
    socket.once('close', () => resolve(/^\d*$/.test(answer) ? answer : ''))
  })
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
