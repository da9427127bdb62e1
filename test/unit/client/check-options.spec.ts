import { describe, expect, it, vi } from 'vitest'
import { checkOptions } from '../../../src/client/check-options.ts'

function createApi() {
  const called = vi.fn()
  const api = checkOptions({
    status: async ({ signal }: { signal?: AbortSignal } = {}) => void called(signal),
    cat: (path: string, { signal }: { signal?: AbortSignal } = {}) => void called(path, signal),
    pin: { add: async (path: string, { signal }: { signal?: AbortSignal } = {}) => void called(path, signal) },
  })
  return { api, called }
}

describe('options of the API', () => {
  it.each([null, 'x', 7, { signal: 'no' }, { signal: {} }, { signal: null }, { onProgress: 'x' }] as never[])(
    'that are none (%j) are refused, and nothing is called',
    async (options) => {
      const { api, called } = createApi()
      const refusal = { code: 'ERR_INVALID_ARGUMENT' }
      await expect(api.status(options)).rejects.toMatchObject(refusal)
      await expect(api.pin.add('cid', options)).rejects.toMatchObject(refusal)
      expect(() => api.cat('cid', options)).toThrow(expect.objectContaining(refusal) as Error)
      expect(called).not.toHaveBeenCalled()
    },
  )

  it('that are right arrive, and may be left out', async () => {
    const { api, called } = createApi()
    const { signal } = new AbortController()
    await api.status()
    await api.pin.add('cid', { signal })
    api.cat('cid', { signal })
    expect(called.mock.calls).toEqual([[undefined], ['cid', signal], ['cid', signal]])
  })
})
