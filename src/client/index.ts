import type { PocketNode } from '../contract/node-api.ts'
import { PocketError, toPocketError } from '../shared/errors.ts'
import { checkOptions } from './check-options.ts'
import { learnCompanionRelays } from './companion.ts'
import { createKeeper } from './keeper.ts'
import { createLadder } from './ladder.ts'
import { createPocketNode } from './node.ts'
import { watchPage } from './page-life.ts'
import { watchPhone } from './page-report.ts'
import type { Session } from './session.ts'

export interface ConnectOptions {
  /** Gives up joining; a node that was joined is left with `close()`. */
  signal?: AbortSignal
  /** Multiaddrs of relays to use beside those of the origin's companion. */
  relays?: string[]
  /** Leaves SharedWorkers out, as if the browser had none. */
  fallback?: 'dedicated-worker'
  /** The worker that runs the node, where it is not the one built with this client. Same origin. */
  workerUrl?: string | URL
}

/**
 * Starts or joins the one node of this origin.
 * @throws PocketError ERR_NO_HOST (no worker can be started, or the page is not a secure one), ERR_HOST_VERSION (a newer version of the app runs
 * the node: reload), ERR_ABORTED, or what the node failed to start with
 */
export async function connect({ signal, relays = [], fallback, workerUrl }: ConnectOptions = {}): Promise<PocketNode> {
  if (!isSecureContext) throw new PocketError('ERR_NO_HOST', 'The node needs a page that came over HTTPS')
  const over = new AbortController()
  const known = new Set(relays)
  let current: Session | undefined
  const report = watchPhone(over.signal, (changed) => current?.tell({ type: 'page', report: changed }))
  const keeper = createKeeper({
    ladder: createLadder({ workerUrl, fallback }),
    relays: () => [...known],
    onSession: (session) => {
      current = session
      session.tell({ type: 'relays', relays: [...known] })
      session.tell({ type: 'page', report: report() })
      void lending?.then((election) => election?.renew())
    },
  })
  // Loaded beside the node's start: the first screen does not wait for it.
  const lending =
    'RTCPeerConnection' in globalThis
      ? import('../platform/page/webrtc/index.ts').then(
          ({ electLender }) => (over.signal.aborted ? undefined : electLender({ offer: () => current?.lend() })),
          // Not to be had now: the node goes on by the relay.
          () => undefined,
        )
      : undefined
  keeper.watch((state) => {
    if (state === 'ready') return
    current = undefined
    // What was lent to it ends now, so that the other side need not find out by itself.
    void lending?.then((election) => election?.renew())
  })
  const close = async (): Promise<void> => {
    over.abort()
    void lending?.then((election) => election?.close())
    keeper.close()
  }
  const learn = async (): Promise<void> => {
    for (const addr of await learnCompanionRelays(over.signal)) known.add(addr)
    current?.tell({ type: 'relays', relays: [...known] })
  }
  watchPage({
    signal: over.signal,
    onAway: () => keeper.suspend(),
    onBack: () => keeper.resume(),
    // The app may have been opened without a network.
    onOnline: () => void learn(),
  })
  try {
    void learn()
    await keeper.session(signal)
    return checkOptions(createPocketNode(keeper, close))
  } catch (error) {
    await close()
    throw toPocketError(error)
  }
}

export type * from '../contract/node-api.ts'
export { ERRORS, isPocketError, PocketError, type ErrorCode } from '../shared/errors.ts'
