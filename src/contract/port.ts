/**
 * The part of a MessagePort that this project uses, so that a BroadcastChannel or a worker can stand in for one.
 * Messages are structured clones; `transfer` is a wish (a BroadcastChannel copies instead).
 */
export interface PortLike {
  postMessage(message: unknown, transfer?: Transferable[]): void
  /** Set once; messages wait until it is. */
  onmessage: ((event: { data: unknown }) => void) | null
  close(): void
}
