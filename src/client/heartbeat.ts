import type { RpcClient } from '../rpc/types.ts'
import { LIMITS } from '../shared/limits.ts'
import { SilenceClock } from './clock.ts'

/** While a ping is unanswered the page looks so often, in ms: the shorter a look, the better it knows when it slept. */
const LOOK_MS = 100

/**
 * Pings until the other is silent for too long, then calls back once. Returns what stops it. Whatever comes is a sign of
 * life: a worker that is busy with a transfer answers late, but its progress comes.
 */
export function watchHeartbeat(rpc: Pick<RpcClient<unknown>, 'ping' | 'heardAt'>, onSilent: () => void): () => void {
  const clock = new SilenceClock()
  let timer: ReturnType<typeof setTimeout> | undefined
  let pingedAt = -Infinity
  const wait = (ms: number): void => {
    clock.expect(ms)
    timer = setTimeout(step, ms)
  }
  const step = (): void => {
    const heardAt = rpc.heardAt()
    clock.reset(heardAt)
    const silentFor = clock.step()
    if (silentFor >= LIMITS.heartbeatTimeoutMs) return onSilent()
    const answered = heardAt >= pingedAt
    const now = performance.now()
    if (answered || now - pingedAt > LIMITS.heartbeatMs - LOOK_MS / 2) {
      pingedAt = now
      // No answer, or the port was closed meanwhile: the clock goes on.
      rpc.ping(LIMITS.heartbeatTimeoutMs).catch(() => undefined)
    }
    wait(Math.min(answered ? LIMITS.heartbeatMs : LOOK_MS, LIMITS.heartbeatTimeoutMs - silentFor))
  }
  wait(LIMITS.heartbeatMs)
  return () => clearTimeout(timer)
}
