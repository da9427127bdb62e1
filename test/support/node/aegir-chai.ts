/**
 * The `expect` that interface-blockstore-tests takes from aegir, a build tool of several hundred packages: Chai with
 * `eventually` and `rejected`, and with true(), false() and ok() as calls. Only what that suite uses.
 */
import { chai } from 'vitest'

type Assertion = Record<string, unknown>
type Method = (...args: unknown[]) => unknown

const CALLED = new Set(['true', 'false', 'ok'])

export function expect(value: unknown): unknown {
  return now(value, chai.expect(value))
}

/** An assertion on a value that is there. */
function now(value: unknown, assertion: unknown): unknown {
  return new Proxy(assertion as Assertion, {
    get(target, name: string) {
      if (name === 'eventually') return later(value, Promise.resolve(value).then(chai.expect))
      if (CALLED.has(name)) return () => target[name]
      const member = target[name]
      if (typeof member === 'function')
        return (...args: unknown[]) => now(value, (member as Method).apply(target, args))
      return now(value, member)
    },
  })
}

/** An assertion on what a promise settles to; `member` is the last word of the sentence, not looked up yet. */
function later(value: unknown, receiver: Promise<unknown>, member?: string): unknown {
  // Where the sentence goes on to `rejected`, the rejection is no surprise.
  receiver.catch(() => undefined)
  const said = () => receiver.then((target) => (member === undefined ? target : (target as Assertion)[member]))
  return new Proxy(() => undefined, {
    get(_target, name: string) {
      if (name === 'then') {
        return (resolve: () => void, reject: (error: unknown) => void) => void said().then(() => resolve(), reject)
      }
      return name === 'rejected' ? later(value, rejection(value)) : later(value, said(), name)
    },
    apply: (_target, _this, args: unknown[]) =>
      later(
        value,
        receiver.then((target) => ((target as Assertion)[member ?? ''] as Method).apply(target, args)),
      ),
  })
}

async function rejection(value: unknown): Promise<unknown> {
  const error: unknown = await Promise.resolve(value).then(
    () => chai.assert.fail('expected the promise to be rejected'),
    (reason: unknown) => reason,
  )
  return chai.expect(error)
}
