import type { MessagePort as NodeMessagePort } from 'node:worker_threads'

declare global {
  /** Node's types have the value only. */
  type MessagePort = NodeMessagePort
}
