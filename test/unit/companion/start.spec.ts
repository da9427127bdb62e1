import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ensureBuild } from '../../../scripts/lib/build.ts'
import { parseStartOptions } from '../../../scripts/lib/start-options.ts'
import { PAGE, fixtureSite, temporaryFolder } from './support.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

interface Started {
  stdout(): string
  /** Resolves when stdout has a line that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  /** As if the launcher had been killed; resolves with the exit code. */
  abandon(): Promise<number | null>
  exit: Promise<{ code: number | null; stdout: string; stderr: string; ms: number }>
}

async function start(args: string[], env: Record<string, string> = {}): Promise<Started> {
  const POCKET_APP_DIR = await fixtureSite()
  const data = await temporaryFolder()
  const begun = performance.now()
  const child = spawn(process.execPath, [join(ROOT, 'scripts/start.ts'), '--no-build', '--data', data, ...args], {
    env: { ...process.env, POCKET_APP_DIR, ...env },
    // A channel, as from the launcher.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve)).then((code) => ({
    code,
    stdout,
    stderr,
    ms: performance.now() - begun,
  }))
  return {
    stdout: () => stdout,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stdout)
          if (match !== null) resolve(match)
        }
        child.stdout?.on('data', look)
        void exit.then(({ code }) => reject(new Error(`ended with ${code}: ${stderr}`)))
        look()
      }),
    kill: (signal) => void child.kill(signal),
    abandon: () => {
      child.disconnect()
      // Not 'close', which never comes after disconnect().
      return new Promise((resolve) => child.once('exit', resolve))
    },
    exit,
  }
}

describe('options of npm start', () => {
  it.each([
    [[], {}],
    [['--port', '0'], { port: { flag: '--port', value: 0 } }],
    [
      ['--port=9000', '--data', 'x'],
      { port: { flag: '--port', value: 9000 }, dataDir: { flag: '--data', value: 'x' } },
    ],
    [['--port', '80x'], { port: { flag: '--port', value: '80x' } }],
    [
      ['--host'],
      {
        localAuthority: { flag: '--host', value: true },
        localName: { flag: '--host', value: '' },
        hosts: { flag: '--host', value: ['0.0.0.0', '::'] },
      },
    ],
  ])('%j', (args, flags) => {
    expect(parseStartOptions(args)).toEqual({ flags, qr: true, build: true, help: false })
  })

  it('knows a name after --host from another option', () => {
    expect(parseStartOptions(['--host', '--no-qr']).flags.localName?.value).toBe('')
    expect(parseStartOptions(['--host', '--no-qr']).qr).toBe(false)
    expect(parseStartOptions(['--host', 'laptop.local', '--no-build']).flags.localName?.value).toBe('laptop.local')
    expect(parseStartOptions(['--host=laptop.local']).flags.localName?.value).toBe('laptop.local')
  })

  it.each([[['--prot', '1']], [['extra']], [['--port']], [['--no-qr=1']]])('refuses %j', (args) => {
    expect(() => parseStartOptions(args)).toThrow()
  })
})

describe('npm start', () => {
  it('prints where the app and the companion are, serves, and stops', async () => {
    const started = await start(['--port', '0'])
    await started.line(/^ready$/m)
    expect(started.stdout()).toMatch(
      /^app: http:\/\/localhost:(\d+)\/\ncompanion: \/ip4\/127.0.0.1\/tcp\/\1\/ws\/p2p\/12D3\w+\nready\n$/,
    )
    const [, url = ''] = await started.line(/^app: (\S+)$/m)
    expect(await (await fetch(url)).text()).toBe(PAGE)
    const begun = performance.now()
    started.kill('SIGTERM')
    started.kill('SIGTERM')
    expect((await started.exit).code).toBe(0)
    // Two seconds are promised and 0.1 is usual; this process and that one share two cores with the rest of the tests.
    expect(performance.now() - begun).toBeLessThan(5000)
  })

  it('stops when its launcher is gone', async () => {
    const started = await start(['--port', '0'])
    await started.line(/^ready$/m)
    expect(await started.abandon()).toBe(0)
  })

  it('says both ways in with --host', async () => {
    const started = await start(['--port', '0', '--host', 'laptop.local'])
    await started.line(/^ready$/m)
    const [, port] = await started.line(/^app: https:\/\/laptop\.local:(\d+)\/$/m)
    await started.line(
      /^trust: http:\/\/laptop\.local:\d+\/ \(each phone once; certificate SHA-256 ([0-9A-F]{2}:?){32}\)$/m,
    )
    expect(started.stdout()).toContain(`companion: /dns4/laptop.local/tcp/${port}/tls/ws/p2p/12D3`)
    started.kill('SIGINT')
    expect((await started.exit).code).toBe(0)
  })

  it('says that the port is taken', async () => {
    const other = createServer()
    onTestFinished(() => void other.close())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    expect(await (await start(['--port', String(port)])).exit).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `Port ${port} is taken by another program. Stop it or choose another port. (npm start -- --port N)\n`,
    })
  })

  it.each([
    [['--prot', '1'], {}, "Unknown option '--prot'"],
    [['--port', '99999'], {}, '--port must be a whole number from 0 to 65535, not 99999'],
    [['--host', 'a b'], {}, '--host must be a host name or an IP address, not "a b"'],
    [[], { POCKET_MAX_PEERS: 'many' }, 'POCKET_MAX_PEERS must be a whole number'],
  ])('refuses %j %j with a sentence', async (args, env, sentence) => {
    const { code, stdout, stderr } = await (await start(args, env)).exit
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(sentence)
    expect(stderr).not.toContain('    at ')
  })

  it('leaves its data folder free for the next when it is killed, and to nobody before', async () => {
    const folder = await temporaryFolder()
    const first = await start(['--port', '0', '--data', folder])
    await first.line(/^ready$/m)
    const { code, stdout, stderr } = await (await start(['--port', '0', '--data', folder])).exit
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^Another companion \(process \d+\) is running .* \(npm start -- --data DIR\)$/m)
    first.kill('SIGKILL')
    await first.exit
    await (await start(['--port', '0', '--data', folder])).line(/^ready$/m)
  })

  it('lists its options', async () => {
    const { code, stdout } = await (await start(['--help'])).exit
    expect(code).toBe(0)
    for (const option of ['--port', '--data', '--host', '--no-qr', '--no-build']) expect(stdout).toContain(option)
  })
})

describe('the build', () => {
  async function project(): Promise<string> {
    const root = await temporaryFolder()
    await mkdir(join(root, 'src/companion'), { recursive: true })
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    await writeFile(join(root, 'package.json'), '{"type":"module"}')
    await writeFile(
      join(root, 'index.html'),
      '<!doctype html><title>one</title><script type="module" src="/src/main.js"></script>',
    )
    await writeFile(join(root, 'src/main.js'), 'document.title = "two"')
    return root
  }

  it('is made once, and again when its sources change', async () => {
    const root = await project()
    const lines: string[] = []
    const build = async (): Promise<string[]> => {
      lines.length = 0
      await ensureBuild({ root, log: (line) => lines.push(line) })
      return [...lines]
    }
    expect(await build()).toEqual(['building the app'])
    expect(await readFile(join(root, 'dist/index.html'), 'utf8')).toContain('<title>one</title>')
    expect(await build()).toEqual([])
    await writeFile(join(root, 'src/companion/relay.ts'), 'not part of it')
    expect(await build()).toEqual([])
    await writeFile(join(root, 'src/main.js'), 'document.title = "three"')
    expect(await build()).toEqual(['building the app'])
    await rm(join(root, 'dist'), { recursive: true })
    expect(await build()).toEqual(['building the app'])
  })

  it('is made once by two starts at once', async () => {
    const root = await project()
    const lines: string[] = []
    await Promise.all([1, 2].map(() => ensureBuild({ root, log: (line) => lines.push(line) })))
    expect(lines.filter((line) => line === 'building the app')).toHaveLength(1)
  })

  it('fails with what the build said, and is tried again next time', async () => {
    const root = await project()
    await writeFile(join(root, 'src/main.js'), 'import "./missing.js"')
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(ensureBuild({ root, log: () => undefined })).rejects.toThrow(/could not be built:[\s\S]*missing\.js/)
    }
  })
})
