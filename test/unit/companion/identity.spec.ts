import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadIdentity } from '../../../src/companion/identity.ts'
import { companion, temporaryFolder } from './support.ts'

it('keeps the peer id over restarts', async () => {
  const dataDir = await temporaryFolder()
  const first = await companion({ dataDir })
  await first.stop()
  const second = await companion({ dataDir })
  expect(second.peerId).toBe(first.peerId)
})

it('gives the key to its owner alone, and takes back rights that others got', async () => {
  const dataDir = join(await temporaryFolder(), 'new', 'folder')
  await loadIdentity(dataDir)
  const path = join(dataDir, 'identity.key')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await chmod(path, 0o644)
  await loadIdentity(dataDir)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(dataDir)).toEqual(['identity.key'])
})

it('agrees on one identity when started twice at once', async () => {
  const dataDir = await temporaryFolder()
  const keys = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(dataDir)))
  expect(new Set(keys.map((key) => key.publicKey.toString())).size).toBe(1)
})

it.each(['', 'not a key', 'CAESQA=='])('refuses a damaged file (%j) and leaves it as it is', async (content) => {
  const dataDir = await temporaryFolder()
  const path = join(dataDir, 'identity.key')
  await writeFile(path, content)
  await expect(loadIdentity(dataDir)).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  await expect(loadIdentity(dataDir)).rejects.toThrow(path)
  expect(await readFile(path, 'utf8')).toBe(content)
})
