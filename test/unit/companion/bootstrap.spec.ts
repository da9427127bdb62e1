import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { withLock } from '../../../scripts/lib/lock.mjs'
import { temporaryFolder } from './support.ts'

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url))

/** A project with the real scripts, one dependency that needs no registry, and a command that tells what it was given. */
async function project(): Promise<string> {
  const root = await temporaryFolder()
  await mkdir(join(root, 'scripts/lib'), { recursive: true })
  await mkdir(join(root, 'dependency'))
  for (const file of ['bootstrap.mjs', 'lib/lock.mjs', 'lib/dependencies.mjs', 'lib/help.mjs', 'lib/runtime.mjs']) {
    await cp(join(SCRIPTS, file), join(root, 'scripts', file))
  }
  await writeFile(join(root, 'dependency/package.json'), '{"name":"dependency","version":"1.0.0"}')
  await writeFile(join(root, 'package.json'), JSON.stringify({ dependencies: { dependency: 'file:dependency' } }))
  await writeLock(root, '1.0.0')
  await command(
    root,
    'console.log(JSON.stringify({ args: process.argv.slice(2), path: process.env.PATH, cwd: process.cwd() }))',
  )
  return root
}

async function writeLock(root: string, version: string): Promise<void> {
  const packages = {
    '': { dependencies: { dependency: 'file:dependency' } },
    dependency: { version },
    'node_modules/dependency': { resolved: 'dependency', link: true },
  }
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }))
}

async function command(root: string, code: string): Promise<void> {
  await writeFile(join(root, 'scripts/start.ts'), code)
}

function bootstrap(root: string, args: string[], env: Record<string, string | undefined> = {}) {
  const child = spawn(process.execPath, [join(root, 'scripts/bootstrap.mjs'), ...args], {
    env: { ...process.env, CI: 'true', npm_execpath: undefined, npm_lifecycle_event: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const exit = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (pattern.test(stdout)) resolve()
      }
      child.stdout.on('data', look)
      look()
    })
  return { child, exit, says }
}

const INSTALLING = 'setup: installing the dependencies'

describe('bootstrap', () => {
  it.each(['--help', '-h'])('answers %s without installing anything', async (option) => {
    const root = await project()
    const { code, stdout, stderr } = await bootstrap(root, ['start', option]).exit
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('--data DIR'), ''])
    await expect(stat(join(root, 'node_modules'))).rejects.toThrow('ENOENT')
  })

  it('installs once, then runs the command with its arguments, the tools first on the PATH', async () => {
    const root = await project()
    const first = await bootstrap(root, ['start', '--port', '0']).exit
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining(INSTALLING)])
    const told = JSON.parse(first.stdout) as { args: string[]; path: string; cwd: string }
    expect(told.args).toEqual(['--port', '0'])
    expect(told.path.split(delimiter)[0]).toBe(join(root, 'node_modules/.bin'))
    expect(told.cwd).toBe(root)
    const second = await bootstrap(root, ['start']).exit
    expect([second.code, second.stderr]).toEqual([0, ''])
  })

  it('installs once when started twice at once', async () => {
    const root = await project()
    const ends = await Promise.all([bootstrap(root, ['start']).exit, bootstrap(root, ['start']).exit])
    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(ends.filter(({ stderr }) => stderr.includes(INSTALLING))).toHaveLength(1)
    await expect(stat(join(root, '.cache/install.lock'))).rejects.toThrow('ENOENT')
  })

  it('installs again when the lock file or the machine is another', async () => {
    const root = await project()
    await bootstrap(root, ['start']).exit
    await writeFile(join(root, 'dependency/package.json'), '{"name":"dependency","version":"1.0.1"}')
    await writeLock(root, '1.0.1')
    expect((await bootstrap(root, ['start']).exit).stderr).toContain(INSTALLING)
    const stamp = join(root, 'node_modules/.pocket-install')
    await writeFile(stamp, (await readFile(stamp, 'utf8')).replace(process.arch, 'mips'))
    expect((await bootstrap(root, ['start']).exit).stderr).toContain(INSTALLING)
  })

  it('takes what npm itself has just installed', async () => {
    const root = await project()
    await bootstrap(root, ['start']).exit
    await rm(join(root, 'node_modules/.pocket-install'))
    expect((await bootstrap(root, ['start']).exit).stderr).toBe('')
  })

  it('goes on after an installation that was killed', async () => {
    const root = await project()
    await mkdir(join(root, '.cache/install.lock'), { recursive: true })
    const dead = spawn(process.execPath, ['-e', '0'])
    await new Promise((resolve) => dead.once('close', resolve))
    const owner = { pid: dead.pid, host: hostname() }
    await writeFile(join(root, '.cache/install.lock/owner.json'), JSON.stringify(owner))
    expect((await bootstrap(root, ['start']).exit).code).toBe(0)
  })

  it('says what is missing: npm', async () => {
    const root = await project()
    const { code, stderr } = await bootstrap(root, ['start'], { PATH: '/nowhere' }).exit
    expect([code, stderr.split('\n')[1]]).toEqual([1, expect.stringContaining('npm was not found. Install Node.js')])
  })

  it('says what is missing: the registry', async () => {
    const root = await project()
    const packages = {
      '': { dependencies: { absent: '1.0.0' } },
      'node_modules/absent': { version: '1.0.0', resolved: 'http://127.0.0.1:9/absent.tgz', integrity: 'sha512-AAAA' },
    }
    await writeFile(join(root, 'package.json'), JSON.stringify({ dependencies: { absent: '1.0.0' } }))
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }))
    const offline = { npm_config_fetch_retries: '0', npm_config_registry: 'http://127.0.0.1:9/' }
    const { code, stderr } = await bootstrap(root, ['start'], offline).exit
    const last = stderr.trimEnd().split('\n').at(-1)
    expect([code, last]).toEqual([1, expect.stringContaining('it needs the npm registry once')])
  })

  it.each([[[]], [['bogus']]])('refuses %j', async (args) => {
    const root = await project()
    expect(await bootstrap(root, args).exit).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Usage: ') as string,
    })
  })

  it('ends as its command ends', async () => {
    const root = await project()
    await command(root, 'process.exitCode = 7')
    expect((await bootstrap(root, ['start']).exit).code).toBe(7)
    await command(root, "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)")
    expect((await bootstrap(root, ['start']).exit).code).toBe(137)
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('passes %s on', async (signal) => {
    const root = await project()
    await command(
      root,
      `process.on('${signal}', () => process.exit(5)); setInterval(() => {}, 1000); console.log('up')`,
    )
    const { child, exit, says } = bootstrap(root, ['start'])
    await says(/^up$/m)
    child.kill(signal)
    expect((await exit).code).toBe(5)
  })

  it('tells its command when it is killed itself', async () => {
    const root = await project()
    const told = join(root, 'told')
    await command(
      root,
      `import { writeFileSync } from 'node:fs'
       process.on('disconnect', () => { writeFileSync(${JSON.stringify(told)}, ''); process.exit() })
       console.log('up')`,
    )
    const { child, exit, says } = bootstrap(root, ['start'])
    await says(/^up$/m)
    child.kill('SIGKILL')
    // Ends when the command has closed its end of the pipes too.
    await exit
    await stat(told)
  })
})

describe('the lock', () => {
  it('lets one in at a time, and the next after a failure', async () => {
    const path = join(await temporaryFolder(), 'a', 'lock')
    let inside = 0
    const work = async (): Promise<void> => {
      inside += 1
      expect(inside).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      throw new Error('failed')
    }
    const ends = await Promise.allSettled([withLock(path, work), withLock(path, work), withLock(path, work)])
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('takes over from one who died before it could leave its name', async () => {
    const path = join(await temporaryFolder(), 'lock')
    await mkdir(path)
    const old = new Date(Date.now() - 10_000)
    await utimes(path, old, old)
    expect(await withLock(path, () => 'done')).toBe('done')
  })

  it('says once whom it waits for', async () => {
    const path = join(await temporaryFolder(), 'lock')
    const waited: unknown[] = []
    const first = withLock(path, () => new Promise((resolve) => setTimeout(resolve, 500)))
    await withLock(path, () => undefined, { onWait: (pid) => waited.push(pid) })
    await first
    expect(waited).toEqual([process.pid])
  })
})
