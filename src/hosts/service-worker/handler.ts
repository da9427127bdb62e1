/** One kind of request. Both get the URL parsed, since all of them look at it. */
export interface Handler {
  canHandle(request: Request, url: URL): boolean
  handle(request: Request, url: URL): Promise<Response>
}
