import type { PortLike } from '../../../src/contract/port.ts'

/** The two ends of a port, by the ways in which pages and hosts are joined. */
export const PORTS: Record<string, () => [client: PortLike, server: PortLike]> = {
  MessageChannel: () => {
    const { port1, port2 } = new MessageChannel()
    // @types/node leaves out the handlers that Node's ports have.
    return [port1 as unknown as PortLike, port2 as unknown as PortLike]
  },
  BroadcastChannel: () => {
    const name = crypto.randomUUID()
    return [new BroadcastChannel(name), new BroadcastChannel(name)]
  },
}
