import type { ConnectionManager } from '@libp2p/interface-internal'

/** Who may come in and go out, changeable while the node runs. */
export interface Door {
  readonly closed: boolean
  /** Closed, nothing is dialled and nobody is let in; what is open stays. */
  close(closed: boolean): void
  /** Open connections, all peers. */
  limit(connections: number): void
}

export interface DoorState {
  closed: boolean
}

/** `state` is what the connection gater looks at, which is made before any service. */
export function door(state: DoorState): (components: { connectionManager: ConnectionManager }) => Door {
  return ({ connectionManager }) => ({
    get closed() {
      return state.closed
    },
    close: (closed) => void (state.closed = closed),
    limit: (connections) => connectionManager.setMaxConnections(connections),
  })
}
