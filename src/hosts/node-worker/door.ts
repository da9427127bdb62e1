import { DOOR_CHANNEL, linkChannel, parseDoorMessage, type DoorMessage } from '../../contract/host-link.ts'
import type { Host } from './host.ts'

export interface Door {
  /** Tells the pages that wait outside that this host owns the node now. */
  open(): void
}

/** A page knocks until it hears the answer: repeated knocks within this time, in ms, are the same one. */
const KNOCK_MS = 10_000

/** Lets pages find the host that no port leads to: those of other tabs where there is no SharedWorker. */
export function openDoor(host: Host): Door {
  const channel = new BroadcastChannel(DOOR_CHANNEL)
  const post = (message: DoorMessage): void => channel.postMessage(message)
  const answered = new Set<string>()
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    let message
    try {
      message = parseDoorMessage(data)
    } catch {
      return
    }
    if (message.type !== 'knock' || !host.owns()) return
    const { clientId } = message
    const hostId = host.id
    if (!answered.has(clientId)) {
      // Listening before the answer: a BroadcastChannel keeps nothing for those who come later.
      answered.add(clientId)
      setTimeout(() => answered.delete(clientId), KNOCK_MS)
      host.accept(new BroadcastChannel(linkChannel(clientId, hostId)))
    }
    post({ type: 'answer', clientId, hostId })
  }
  return { open: () => post({ type: 'open', hostId: host.id }) }
}
