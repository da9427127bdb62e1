import { PocketError } from '../shared/errors.ts'
import { isAbortSignal } from '../shared/tags.ts'

type Method = (...args: unknown[]) => unknown

/** What these options have to be, wherever they occur. */
const KINDS: Record<string, (value: unknown) => boolean> = {
  signal: isAbortSignal,
  onProgress: (value) => typeof value === 'function',
}

/** Methods that answer at once; the others give a promise, and reject. */
const AT_ONCE = new Set(['cat', 'ls', 'watch', 'export'])

/**
 * Makes every method of an API refuse options that are none, before anything is done. They are the last parameter of
 * each, after the required ones.
 * @throws PocketError ERR_INVALID_ARGUMENT, from the methods
 */
export function checkOptions<T extends object>(api: T): T {
  const checked = Object.entries(api).map(([name, member]: [string, unknown]) => {
    if (typeof member === 'object' && member !== null) return [name, checkOptions(member)]
    return [name, typeof member === 'function' ? withCheck(name, member as Method) : member]
  })
  return Object.fromEntries(checked) as T
}

function withCheck(name: string, method: Method): Method {
  // Optional parameters do not count.
  const at = method.length
  return (...args) => {
    const error = problemOf(args[at])
    if (error === undefined) return method(...args)
    if (AT_ONCE.has(name)) throw error
    return Promise.reject(error)
  }
}

function problemOf(options: unknown): PocketError | undefined {
  if (options === undefined) return undefined
  if (typeof options !== 'object' || options === null) return invalid('options')
  for (const [name, isRight] of Object.entries(KINDS)) {
    const value = (options as Record<string, unknown>)[name]
    if (value !== undefined && !isRight(value)) return invalid(name)
  }
  return undefined
}

function invalid(argument: string): PocketError {
  return new PocketError('ERR_INVALID_ARGUMENT', `${argument} has the wrong shape`, { detail: { argument } })
}
