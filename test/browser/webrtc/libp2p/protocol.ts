/** What a test asks of a node in a worker, and what it answers. */
export type NodeRequest =
  | { type: 'lend'; port: MessagePort }
  | { type: 'start'; relay: string; listen: boolean }
  /** Dials over WebRTC, at most `timeout` ms; answers with how long it took. */
  | { type: 'dial'; addr: string; timeout: number }
  | { type: 'hangUp'; peer: string }
  /** Has `size` bytes echoed over a stream; answers whether they came back the same. */
  | { type: 'echo'; peer: string; size: number }
  /** Resolves when there is no direct connection. */
  | { type: 'alone' }

export type NodeAnswer =
  { type: 'answer'; value: unknown } | { type: 'failed'; error: string; code?: string | undefined }

/** A node wants to reach the relay. */
export type RelayPort = { type: 'relay' }
