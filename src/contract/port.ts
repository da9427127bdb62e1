/**
 * The part of a MessagePort that this project uses, so that a BroadcastChannel or a worker can stand in for one; each
 * of them can be used as it is. Messages are structured clones; `transfer` is a wish (a BroadcastChannel copies instead).
 */
export interface PortLike {
  postMessage(message: unknown): void
  postMessage(message: unknown, transfer: (ArrayBuffer | MessagePort)[]): void
  /** Set once; messages wait until it is. */
  onmessage: Listener<{ data: unknown }> | null
  /** A message arrived that could not be read: it is lost. A port may have no such event. */
  onmessageerror?: Listener<unknown> | null
  close(): void
}

/** Written as a method, so that a listener of `MessageEvent` fits as well (a property would be checked contravariantly). */
type Listener<E> = { call(event: E): void }['call']
