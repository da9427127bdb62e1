/** The client API as a test uses it: inside a page of the app, whatever drives that page. */
import type { AddResult, NodeId, NodeStatus, PeerConnection, PocketNode } from '../../src/contract/node-api.ts'

/** Playwright's and puppeteer's page, and a WebDriver session. */
export interface Evaluates {
  evaluate(expression: string): Promise<unknown>
}

/**
 * Starts or joins the node in a page and calls `fn` with it there. `fn` is sent as text: it uses nothing around it, and
 * argument and result are JSON. Rejects with `<code>: <message>` of the error in the page.
 */
export async function onNode<R, A extends object = object>(
  page: Evaluates,
  fn: (node: PocketNode, argument: A) => R | Promise<R>,
  argument?: A,
): Promise<R> {
  const expression = `(async () => {
    const { connect } = await import('/embed.js')
    const node = await connect()
    try {
      return await (${fn.toString()})(node, ${JSON.stringify(argument ?? {})})
    } catch (error) {
      throw new Error((error.code === undefined ? error.name : error.code) + ': ' + error.message, { cause: error })
    } finally {
      await node.close()
    }
  })()`
  return (await page.evaluate(expression)) as R
}

export interface Facts {
  id: NodeId
  status: NodeStatus
  peers: PeerConnection[]
}

/** What the node says of itself. */
export function facts(page: Evaluates): Promise<Facts> {
  return onNode(page, async (node) => ({ id: await node.id(), status: await node.status(), peers: await node.peers() }))
}

/** Reads a whole file; resolves with its SHA-256 in hex. */
export function contentSha256(page: Evaluates, path: string): Promise<string> {
  return onNode(
    page,
    async (node, argument) => {
      // As one buffer: WebKit cannot iterate over a stream.
      const content = await new Response(node.cat(argument.path) as ReadableStream<BufferSource>).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
      return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    },
    { path },
  )
}

/** Names and CIDs of what the node keeps. */
export function kept(page: Evaluates): Promise<Record<string, string>> {
  return onNode(page, async (node) => {
    const pins: Record<string, string> = {}
    for await (const pin of node.pin.ls()) pins[pin.name] = pin.cid
    return pins
  })
}

/** Puts a file input of the test's own into the page, to be filled by the driver. Resolves with its selector. */
export async function placeInput(page: Evaluates): Promise<string> {
  await page.evaluate(`(() => {
    const input = document.createElement('input')
    input.type = 'file'
    input.id = 'test-input'
    document.body.prepend(input)
  })()`)
  return '#test-input'
}

/** Adds the file that the driver has put into the input of `placeInput`. */
export function addPicked(page: Evaluates): Promise<AddResult> {
  return onNode(page, (node) => {
    const [file] = document.querySelector<HTMLInputElement>('#test-input')?.files ?? []
    if (file === undefined) throw new Error('no file is picked')
    return node.add(file)
  })
}

/** Resolves when the service worker is active: from then on the app starts without a network. */
export async function shellReady(page: Evaluates): Promise<void> {
  await page.evaluate(`Promise.race([
    navigator.serviceWorker.ready.then(() => undefined),
    new Promise((resolve, reject) => setTimeout(() => reject(new Error('no active service worker after 20 s')), 20000)),
  ])`)
}
