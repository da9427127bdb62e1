import {
  clientLock,
  HOST_PROTOCOL,
  hostLock,
  parseHostReply,
  type HelloMessage,
  type HostReply,
} from '../contract/host-link.ts'
import type { PortLike } from '../contract/port.ts'
import { splitPort, type SplitPort } from '../rpc/split-port.ts'
import { fromWireError, PocketError, toPocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import { holdLock, whenFree } from './locks.ts'

/** What a page says of itself to a host. */
export interface Introduction {
  relays: string[]
  /** A host that was silent or is of an older build, to be robbed of the node. */
  replaces: string | undefined
  /** The host answers, and opens the node. */
  onStarting: (hostId: string) => void
}

/** A port on which a host serves the node. */
export interface Attached {
  hostId: string
  port: SplitPort
  /** Whether ports can be sent over it: a BroadcastChannel cannot carry any. */
  carriesPorts: boolean
  /** Lets go of the port; the host sees this page go. */
  detach: () => void
}

export type Greeting =
  | { kind: 'welcome'; attached: Attached }
  /** Another host owns the node. */
  | { kind: 'busy' }
  /** The host is of an older build than this page. */
  | { kind: 'outdated'; hostId: string }
  /** The host ended, or was never there. */
  | { kind: 'lost' }

/**
 * Says hello on a fresh port and waits for the node to run.
 * @throws PocketError ERR_ABORTED, ERR_HOST_VERSION (the host is of a newer build), or what the node failed to start with
 */
export async function greet(
  clientId: string,
  port: PortLike,
  introduction: Introduction,
  signal: AbortSignal,
): Promise<Greeting> {
  const release = await holdLock(clientLock(clientId))
  const split = splitPort(port)
  const detach = (): void => {
    split.control.close()
    release()
  }
  try {
    const answer = await converse(clientId, split, introduction, signal)
    if (answer.kind !== 'welcome') {
      detach()
      return answer
    }
    const carriesPorts = !(port instanceof BroadcastChannel)
    return { kind: 'welcome', attached: { hostId: answer.hostId, port: split, carriesPorts, detach } }
  } catch (error) {
    detach()
    throw error
  }
}

type Answer = { kind: 'welcome'; hostId: string } | Exclude<Greeting, { kind: 'welcome' }>

/** Opening the storage of a slow phone may take its whole time-out; a start longer than this, in ms, is none. */
const START_MS = 30_000

function converse(
  clientId: string,
  { control }: SplitPort,
  { relays, replaces, onStarting }: Introduction,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const settle = (action: () => void): void => {
      if (over.signal.aborted) return
      over.abort()
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      action()
    }
    const wait = (ms: number): ReturnType<typeof setTimeout> =>
      setTimeout(() => settle(() => resolve({ kind: 'lost' })), ms)
    const abort = (): void => settle(() => reject(toPocketError(signal.reason, 'ERR_ABORTED')))
    // A worker that is just ending takes no more messages, and says nothing: the next of its name will.
    let timer = wait(LIMITS.heartbeatTimeoutMs)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    control.onmessage = ({ data }) => {
      const reply = tryParse(data)
      switch (reply?.type) {
        case 'starting':
          clearTimeout(timer)
          timer = wait(START_MS)
          onStarting(reply.hostId)
          return whenFree(hostLock(reply.hostId), over.signal, () => settle(() => resolve({ kind: 'lost' })))
        case 'welcome':
          return settle(() => resolve({ kind: 'welcome', hostId: reply.hostId }))
        case 'busy':
          return settle(() => resolve({ kind: 'busy' }))
        case 'refused':
          if (reply.version < HOST_PROTOCOL) {
            return settle(() => resolve({ kind: 'outdated', hostId: reply.hostId }))
          }
          return settle(() =>
            reject(
              new PocketError('ERR_HOST_VERSION', undefined, { detail: { page: HOST_PROTOCOL, host: reply.version } }),
            ),
          )
        case 'failed':
          return settle(() => reject(fromWireError(reply.error)))
        case undefined:
      }
    }
    const hello: HelloMessage = {
      type: 'hello',
      version: HOST_PROTOCOL,
      clientId,
      page: { webrtc: typeof RTCPeerConnection === 'function' },
      relays,
      ...(replaces === undefined ? {} : { replaces }),
    }
    control.postMessage(hello)
  })
}

function tryParse(data: unknown): HostReply | undefined {
  try {
    return parseHostReply(data)
  } catch {
    // Nothing that a host of this origin sends.
    return undefined
  }
}
