import type { RpcClient } from '../rpc/types.ts'
import { LIMITS } from '../shared/limits.ts'
import { SilenceClock } from './clock.ts'

/**
 * Pings until the other is silent for too long, then calls back once. Returns what stops it. Whatever comes is a sign of
 * life: a worker that is busy with a transfer answers late, but its progress comes.
 */
export function watchHeartbeat(rpc: Pick<RpcClient<unknown>, 'ping' | 'heardAt'>, onSilent: () => void): () => void {
  const clock = new SilenceClock()
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  const wait = (ms: number): void => {
    clock.expect(ms)
    timer = setTimeout(step, ms)
  }
  const step = (): void => {
    clock.reset(rpc.heardAt())
    const silentFor = clock.step()
    if (silentFor >= LIMITS.heartbeatTimeoutMs) {
      stopped = true
      return onSilent()
    }
    rpc.ping(LIMITS.heartbeatTimeoutMs).then(
      () => stopped || clock.reset(),
      // No answer, or the port was closed meanwhile: the clock goes on.
      () => undefined,
    )
    wait(Math.min(LIMITS.heartbeatMs, LIMITS.heartbeatTimeoutMs - silentFor))
  }
  wait(LIMITS.heartbeatMs)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
