import { expect, it } from 'vitest'
import { checkEntries } from '../../../src/core/content/entries.ts'

it('checks a large folder in turns, so that a worker answers meanwhile', async () => {
  const content = new Uint8Array()
  const entries = Array.from({ length: 10_000 }, (_, at) => ({ path: `folder/${at}`, content }))
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  const paths = await checkEntries(entries)
  clearInterval(timer)
  expect(paths).toHaveLength(10_000)
  expect(paths.at(-1)).toEqual(['folder', '9999'])
  expect(turns).toBeGreaterThan(2)
  await expect(checkEntries([...entries, { path: 'folder/5', content }])).rejects.toMatchObject({
    code: 'ERR_INVALID_NAME',
  })
})
