import { defaultLogger } from '@libp2p/logger'
import type { Stream } from '@libp2p/interface'
import { AbstractStream } from '@libp2p/utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createSend } from '../../../src/core/gateway/send.ts'
import { LIMITS } from '../../../src/shared/limits.ts'

const KiB = 1024

/** To a peer that takes so many bytes every second, of its own accord. */
class SlowStream extends AbstractStream {
  readonly #bytes: number

  constructor(bytes: number) {
    super({ id: '1', direction: 'inbound', log: defaultLogger().forComponent('slow') })
    this.#bytes = bytes
  }

  sendData(data: { byteLength: number }): { sentBytes: number; canSendMore: boolean } {
    setTimeout(() => this.safeDispatchEvent('drain'), 1_000)
    return { sentBytes: Math.min(data.byteLength, this.#bytes), canSendMore: false }
  }

  sendReset = (): void => undefined
  sendPause = (): void => undefined
  sendResume = (): void => undefined
  sendCloseWrite = async (): Promise<void> => undefined
  sendCloseRead = async (): Promise<void> => undefined
}

/** Sends so many parts; how that ended, and after how many ms. */
async function answer(stream: Stream, parts: Uint8Array[]): Promise<{ end: string; ms: number }> {
  const start = Date.now()
  const send = createSend(stream)
  const all = async (): Promise<string> => {
    for (const part of parts) await send(part)
    return 'sent'
  }
  let result: { end: string; ms: number } | undefined
  void all()
    .catch(({ code }: { code: string }) => code)
    .then((end) => (result = { end, ms: Date.now() - start }))
  while (result === undefined) await vi.advanceTimersByTimeAsync(500)
  return result
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('waits for a slow peer as long as it takes something', async () => {
  const { end, ms } = await answer(new SlowStream(8 * KiB), [new Uint8Array(1024 * KiB)])
  expect(end).toBe('sent')
  expect(ms).toBeGreaterThan(2 * LIMITS.answerPaceMs)
})

it.each([
  ['of a large part', [new Uint8Array(1024 * KiB)]],
  ['of many small parts', Array.from({ length: 1000 }, () => new Uint8Array(50))],
])('gives up a peer that takes a trickle %s', async (_of, parts) => {
  const { end, ms } = await answer(new SlowStream(50), parts)
  expect(end).toBe('ERR_TIMEOUT')
  expect(ms).toBeLessThan(LIMITS.answerPaceMs + 1_000)
})
