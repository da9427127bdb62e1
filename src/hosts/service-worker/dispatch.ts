import type { Handler } from './handler.ts'

export function dispatch(handlers: Handler[], event: FetchEvent): void {
  const url = new URL(event.request.url)
  const handler = handlers.find((each) => each.canHandle(event.request, url))
  if (handler !== undefined) event.respondWith(handler.handle(event.request, url))
}
