import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exec, which } from '../../../scripts/lib/test-exec.ts'

const NODE = process.execPath

describe('exec', () => {
  it('collects both outputs and the exit code', async () => {
    const result = await exec(NODE, ['-e', 'console.log("out"); console.error("err"); process.exit(3)'], {
      timeoutMs: 10_000,
    })
    expect(result).toMatchObject({ ok: false, code: 3, timedOut: false })
    expect(result.output).toContain('out')
    expect(result.output).toContain('err')
  })

  it('answers for a command that is not there', async () => {
    const result = await exec('/no/such/command', [], { timeoutMs: 1_000 })
    expect(result).toMatchObject({ ok: false, code: null })
    expect(result.output).toContain('ENOENT')
  })

  it('ends a command that takes too long together with what it started', async () => {
    const grandchild = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' })`
    const script = `const child = ${grandchild}; console.log('pid=' + child.pid); setInterval(() => {}, 1e6)`
    // `close` waits for the grandchild too, since it holds the same pipe: this resolves only when both are gone.
    const result = await exec(NODE, ['-e', script], { timeoutMs: 1_000 })
    expect(result).toMatchObject({ ok: false, timedOut: true })
    expect(result.output).toMatch(/pid=\d+/)
  })
})

describe('which', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'which-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('finds an executable file on the path, and nothing else', async () => {
    await writeFile(join(folder, 'tool'), '#!/bin/sh\n')
    const path = ['/no/such/folder', folder].join(delimiter)
    expect(which('tool', path)).toBeUndefined()
    await chmod(join(folder, 'tool'), 0o755)
    expect(which('tool', path)).toBe(join(folder, 'tool'))
    expect(which('other', path)).toBeUndefined()
  })
})
