/**
 * WebKitGTK, the nearest to iOS Safari that Linux has: MiniBrowser under Xvfb, driven by WebKitWebDriver. It has module
 * SharedWorkers, IndexedDB, WebSocket and service workers, and no RTCPeerConnection.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { killGroup, track } from '../../scripts/lib/test-exec.ts'
import { findWebKit } from '../../scripts/lib/test-webkit.ts'
import { freePort, startServer } from './process.ts'
import { openSession, type WebDriverSession } from './webdriver.ts'

export interface WebKit extends Omit<WebDriverSession, 'close'> {
  readonly version: string
  /** Ends the session, the driver and the display, and removes the profile. */
  close: () => Promise<void>
}

const START_MS = 30_000

export async function launchWebKit(): Promise<WebKit> {
  const found = findWebKit()
  if (!found.found) throw new Error(`${found.why} \`npm test -- --only webkit\` tries to install them.`)
  const { driver, miniBrowser, xvfb } = found.paths
  // Everything that MiniBrowser keeps is below these two; nothing of an earlier run may be.
  const home = await mkdtemp(join(tmpdir(), 'pocket-webkit-'))
  const undo: (() => Promise<void>)[] = [
    () => rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  ]
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const display = await startXvfb(xvfb)
    undo.push(() => display.stop())
    const port = await freePort()
    const server = await startServer({
      command: driver,
      args: [`--port=${port}`, '--host=127.0.0.1'],
      env: {
        DISPLAY: display.name,
        WAYLAND_DISPLAY: undefined,
        GDK_BACKEND: 'x11',
        HOME: home,
        XDG_CONFIG_HOME: join(home, 'config'),
        XDG_CACHE_HOME: join(home, 'cache'),
        XDG_DATA_HOME: join(home, 'data'),
        // Bubblewrap needs user namespaces, which containers and root seldom have.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        WEBKIT_DISABLE_COMPOSITING_MODE: '1',
        LIBGL_ALWAYS_SOFTWARE: '1',
        // No session bus in a container: asking for one costs seconds.
        GSETTINGS_BACKEND: 'memory',
        NO_AT_BRIDGE: '1',
      },
      // It prints nothing: it is ready when it answers.
      ready: 'at once',
      timeoutMs: START_MS,
    })
    undo.push(() => server.stop())
    const base = `http://127.0.0.1:${port}`
    await answering(`${base}/status`)
    const session = await openSession(base, {
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: miniBrowser, args: ['--automation'] },
    })
    undo.push(() => session.close())
    return { ...session, version: String(session.capabilities.browserVersion), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** An X server on a display that is free: it chooses one itself and writes its number to descriptor 3. */
async function startXvfb(path: string): Promise<{ name: string; stop: () => Promise<void> }> {
  const args = ['-displayfd', '3', '-screen', '0', '800x900x24', '-nolisten', 'tcp', '-noreset']
  const child = spawn(path, args, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  track(child)
  const ended = once(child, 'exit')
  const failed = ended.then(([code]) => Promise.reject(new Error(`Xvfb ended with ${String(code)}`)))
  const lines = createInterface({ input: child.stdio[3] as NodeJS.ReadableStream })
  const [number] = (await Promise.race([once(lines, 'line'), failed])) as [string]
  failed.catch(() => {
    // Ended later: by `stop`, or the session fails with its own words.
  })
  return {
    name: `:${number.trim()}`,
    stop: async () => {
      killGroup(child, 'SIGTERM')
      await ended
    },
  }
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + START_MS
  for (;;) {
    try {
      if ((await fetch(url)).ok) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    // It has no event for this.
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
