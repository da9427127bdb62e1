import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findChromium } from '../../../scripts/lib/test-chromium.ts'
import { findFirefox } from '../../../scripts/lib/test-firefox.ts'
import { findKubo, KUBO_VERSION } from '../../../scripts/lib/test-kubo.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tools-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function program(path: string): Promise<string> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '#!/bin/sh\n')
  await chmod(file, 0o755)
  return file
}

describe.each([
  ['CHROMIUM_PATH', findChromium],
  ['FIREFOX_PATH', findFirefox],
  ['KUBO_BINARY', findKubo],
])('%s', (variable, find) => {
  it('is taken before anything installed', async () => {
    const path = await program('mine')
    expect(find({ [variable]: path })).toEqual({ found: true, path, origin: variable })
  })

  it('is refused in words when it names no program, instead of being passed over', () => {
    const tool = find({ [variable]: join(folder, 'nothing') })
    expect(tool).toMatchObject({ found: false })
    expect(tool.found ? '' : tool.why).toContain(variable)
  })
})

describe('finding Kubo', () => {
  it('takes the one that an earlier run built before the one on the path', async () => {
    const onPath = await program('bin/ipfs')
    const env = { XDG_CACHE_HOME: join(folder, 'cache'), PATH: dirname(onPath) }
    expect(findKubo(env)).toMatchObject({ path: onPath, origin: 'installed' })
    const missing = findKubo({ ...env, PATH: '' })
    expect(missing.found ? '' : missing.why).toContain('KUBO_BINARY')

    const built = await program(`cache/pocket-ipfs/kubo-${KUBO_VERSION}/ipfs`)
    expect(findKubo(env)).toMatchObject({ path: built, origin: 'installed' })
  })
})
