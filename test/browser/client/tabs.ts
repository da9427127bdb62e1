import type * as client from '../../../src/client/index.ts'
import type { ConnectOptions, PocketNode } from '../../../src/client/index.ts'

export const ECHO_WORKER = new URL('./fixtures/echo-worker.ts', import.meta.url)

/** A document of its own, as a tab is: its locks, ports and dedicated workers end with it. */
export interface Tab {
  /** To a host that runs the echo node. */
  connect(options?: ConnectOptions): Promise<PocketNode>
  /** To a host that runs the node itself. */
  connectReal(options?: ConnectOptions): Promise<PocketNode>
  window: Window & typeof globalThis
  close(): void
}

const open = new Set<Tab>()

export async function openTab(): Promise<Tab> {
  const frame = document.createElement('iframe')
  const loaded = new Promise<typeof client>((resolve, reject) => {
    Object.assign(frame, { clientLoaded: resolve, clientFailed: reject })
  })
  // The test runner writes its own name into every dynamic import that it serves.
  frame.srcdoc = `<script>
    globalThis.__vitest_browser_runner__ = { wrapDynamicImport: (load) => load() }
  </script><script type="module">
    import(${JSON.stringify(new URL('../../../src/client/index.ts', import.meta.url).href)})
      .then(frameElement.clientLoaded, frameElement.clientFailed)
  </script>`
  document.body.append(frame)
  const { connect } = await loaded
  if (frame.contentWindow === null) throw new Error('The frame has no window')
  const tab: Tab = {
    window: frame.contentWindow as Tab['window'],
    connect: (options) => connect({ workerUrl: ECHO_WORKER, ...options }),
    connectReal: connect,
    close: () => {
      open.delete(tab)
      frame.remove()
    },
  }
  open.add(tab)
  return tab
}

/** Closes all tabs and waits until nothing of them is left: no lock, and so no host. */
export async function closeTabs(): Promise<void> {
  for (const tab of [...open]) tab.close()
  await navigator.locks.request('pocket-ipfs:host', () => undefined)
  for (let left = await locks(); left.length > 0; left = await locks()) {
    await navigator.locks.request(left[0]!, () => undefined)
  }
}

export async function locks(): Promise<string[]> {
  const { held = [], pending = [] } = await navigator.locks.query()
  return [...held, ...pending].map((lock) => lock.name ?? '').filter((name) => name.startsWith('pocket-ipfs:'))
}
