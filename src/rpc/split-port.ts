import type { PortLike } from '../contract/port.ts'

export interface SplitPort {
  /** What has a `t`: calls and their answers. */
  rpc: PortLike
  /** Everything else: how page and host meet and what they tell each other beside the calls. */
  control: PortLike
}

/** Two ports over one. Closing either closes both. */
export function splitPort(port: PortLike): SplitPort {
  const rpc = new HalfPort(port)
  const control = new HalfPort(port)
  port.onmessage = (event) => {
    const { data } = event
    const half = typeof data === 'object' && data !== null && 't' in data ? rpc : control
    half.receive(event)
  }
  port.onmessageerror = (event) => rpc.onmessageerror?.(event)
  return { rpc, control }
}

type Listener = NonNullable<PortLike['onmessage']>

class HalfPort implements PortLike {
  onmessageerror: NonNullable<PortLike['onmessageerror']> | null = null
  readonly #port: PortLike
  #listener: Listener | null = null
  /** What came before anyone listened. */
  #early: { data: unknown }[] = []

  constructor(port: PortLike) {
    this.#port = port
  }

  get onmessage(): Listener | null {
    return this.#listener
  }

  set onmessage(listener: Listener | null) {
    this.#listener = listener
    if (listener !== null) for (const event of this.#early.splice(0)) listener(event)
  }

  receive(event: { data: unknown }): void {
    if (this.#listener !== null) this.#listener(event)
    else this.#early.push(event)
  }

  postMessage(message: unknown, transfer: (ArrayBuffer | MessagePort)[] = []): void {
    this.#port.postMessage(message, transfer)
  }

  close(): void {
    this.#port.onmessage = null
    this.#port.close()
  }
}
