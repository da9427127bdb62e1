/** As much of W3C WebDriver as the WebKit suite needs. */

/** https://www.w3.org/TR/webdriver2/#elements */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'

export interface WebDriverSession {
  readonly capabilities: Record<string, unknown>
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** Runs a function or an expression in the page; resolves with its JSON result, rejects with its error. */
  evaluate<R>(code: string | (() => R | Promise<R>)): Promise<R>
  /** Types into the element, or for a file input picks the file of that path. */
  sendKeys(selector: string, text: string): Promise<void>
  click(selector: string): Promise<void>
  /** Closes every window and ends the session. */
  close(): Promise<void>
}

/** How long one command may take, in ms: a cold start of the node on two busy cores takes seconds. */
const COMMAND_MS = 90_000

export async function openSession(base: string, capabilities: object): Promise<WebDriverSession> {
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(COMMAND_MS + 10_000),
    })
    const { value } = (await response.json()) as { value: unknown }
    if (!response.ok) {
      const { error, message } = value as { error: string; message: string }
      throw new Error(`WebDriver ${method} ${path}: ${error}: ${message}`)
    }
    return value
  }

  const created = await send('POST', '/session', { capabilities: { alwaysMatch: capabilities } })
  const { sessionId, capabilities: granted } = created as { sessionId: string; capabilities: Record<string, unknown> }
  const command = (method: string, path: string, body?: object): Promise<unknown> =>
    send(method, `/session/${sessionId}${path}`, body)
  const element = async (selector: string): Promise<string> => {
    const found = (await command('POST', '/element', { using: 'css selector', value: selector })) as Record<
      string,
      string
    >
    return `/element/${found[ELEMENT] ?? ''}`
  }
  await command('POST', '/timeouts', { script: COMMAND_MS, pageLoad: COMMAND_MS, implicit: 0 })
  return {
    capabilities: granted,
    goto: async (url) => {
      await command('POST', '/url', { url })
    },
    reload: async () => {
      await command('POST', '/refresh', {})
    },
    evaluate: async <R>(code: string | (() => R | Promise<R>)): Promise<R> => {
      const expression = typeof code === 'string' ? code : `(${code.toString()})()`
      // A rejected promise travels as a value, for want of a standard form.
      const script = `
        const done = arguments[arguments.length - 1];
        const run = async () => (${expression});
        run().then((value) => done({ value }), (error) => done({ error: String(error), stack: error?.stack }))`
      const answer = (await command('POST', '/execute/async', { script, args: [] })) as
        { value: R } | { error: string; stack?: string }
      if ('error' in answer) throw new Error(`${answer.error}\n${answer.stack ?? ''}`.trim())
      return answer.value
    },
    sendKeys: async (selector, text) => {
      await command('POST', `${await element(selector)}/value`, { text })
    },
    click: async (selector) => {
      await command('POST', `${await element(selector)}/click`, {})
    },
    close: async () => {
      await command('DELETE', '')
    },
  }
}
