/** What an `on…` property takes. */
export type Handler<E extends Event> = ((event: E) => unknown) | null

/** Gives a class its `on…` properties. As in HTML, a handler keeps the place in the order that it got when it was first set. */
export function defineHandlers(prototype: EventTarget, types: readonly string[]): void {
  for (const type of types) {
    const slots = new WeakMap<EventTarget, { handler: Handler<Event> }>()
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget): Handler<Event> {
        return slots.get(this)?.handler ?? null
      },
      set(this: EventTarget, value: unknown) {
        const handler = typeof value === 'function' ? (value as (event: Event) => unknown) : null
        const slot = slots.get(this)
        if (slot !== undefined) slot.handler = handler
        else if (handler !== null) {
          const fresh: { handler: Handler<Event> } = { handler }
          slots.set(this, fresh)
          this.addEventListener(type, (event) => {
            fresh.handler?.call(this, event)
          })
        }
      },
    })
  }
}
