/** One kind of request. Both get the URL parsed, since all of them look at it. */
export interface Handler {
  canHandle(request: Request, url: URL): boolean
  handle(request: Request, url: URL): Promise<Response>
}

export function dispatch(handlers: Handler[], event: FetchEvent): void {
  const url = new URL(event.request.url)
  const handler = handlers.find((each) => each.canHandle(event.request, url))
  if (handler !== undefined) event.respondWith(handler.handle(event.request, url))
}
