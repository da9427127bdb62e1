/** A real Kubo node on the loopback interface, of its own in everything: repository, ports, no network beyond. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec } from '../../scripts/lib/test-exec.ts'
import { findKubo } from '../../scripts/lib/test-kubo.ts'
import { startServer } from './process.ts'

export interface KuboMultiaddrs {
  /** Each ends in /p2p/<peer id>. */
  tcp: string
  ws: string
  /** With its two /certhash parts. */
  webtransport: string
  /** With its /certhash part. */
  webrtcDirect: string
}

export interface IpfsOptions {
  /** Standard input. */
  input?: Uint8Array
  /** In ms. Default 30,000. */
  timeoutMs?: number
}

export interface Kubo {
  readonly version: string
  readonly peerId: string
  /** Base URL of its RPC API: `http://127.0.0.1:<port>`. */
  readonly api: string
  readonly multiaddrs: KuboMultiaddrs
  /** Runs `ipfs <args>` against the daemon; resolves with its standard output, rejects with its standard error. */
  ipfs(args: string[], options?: IpfsOptions): Promise<Buffer>
  log(): string
  stop(): Promise<void>
}

export interface KuboOptions {
  binary?: string
  /** Merged over the configuration, one level deep. */
  config?: Record<string, object>
  /** Applied to the configuration, beside `test`. */
  profiles?: string[]
}

const INIT_MS = 30_000
const READY_MS = 60_000

export async function startKubo(options: KuboOptions = {}): Promise<Kubo> {
  const binary = options.binary ?? installed()
  const repo = await mkdtemp(join(tmpdir(), 'pocket-kubo-'))
  const env = { IPFS_PATH: repo, IPFS_TELEMETRY: 'off' }
  const remove = (): Promise<void> => rm(repo, { recursive: true, force: true, maxRetries: 5 })
  try {
    // `test` keeps it to the loopback interface: no bootstrap, mDNS, port mapping, AutoTLS or AutoConf.
    const init = await exec(binary, ['init', `--profile=${['test', ...(options.profiles ?? [])].join(',')}`], {
      env,
      timeoutMs: INIT_MS,
    })
    if (!init.ok) throw new Error(`ipfs init failed:\n${init.output}`)
    await configure(join(repo, 'config'), options.config ?? {})
    const daemon = await startServer({
      command: binary,
      args: ['daemon'],
      env,
      ready: (line) => line.includes('Daemon is ready'),
      timeoutMs: READY_MS,
    })
    const stop = async (): Promise<void> => {
      await daemon.stop()
      await remove()
    }
    try {
      const api = apiUrl((await readFile(join(repo, 'api'), 'utf8')).trim())
      const id = await identity(api)
      return {
        version: id.AgentVersion,
        peerId: id.ID,
        api,
        multiaddrs: byTransport(id.Addresses),
        ipfs: (args, ipfsOptions) => runIpfs(binary, args, env, ipfsOptions),
        log: () => daemon.log(),
        stop,
      }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    await remove()
    throw error
  }
}

function installed(): string {
  const kubo = findKubo()
  if (!kubo.found) throw new Error(`${kubo.why} \`npm test -- --only kubo\` builds one.`)
  return kubo.path
}

async function configure(file: string, overrides: Record<string, object>): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, object>
  const ours: Record<string, object> = {
    Addresses: {
      ...config.Addresses,
      Swarm: [
        '/ip4/127.0.0.1/tcp/0',
        '/ip4/127.0.0.1/tcp/0/ws',
        '/ip4/127.0.0.1/udp/0/quic-v1/webtransport',
        '/ip4/127.0.0.1/udp/0/webrtc-direct',
      ],
    },
    Routing: { ...config.Routing, Type: 'none' },
    Provide: { Enabled: false },
    HTTPRetrieval: { Enabled: false },
    Swarm: {
      ...config.Swarm,
      RelayClient: { Enabled: false },
      RelayService: { Enabled: false },
      EnableHolePunching: false,
      Transports: { Network: { WebRTCDirect: true }, Security: {}, Multiplexers: {} },
    },
    Plugins: { Plugins: { telemetry: { Disabled: true, Config: { Mode: 'off' } } } },
  }
  for (const [name, value] of Object.entries(ours)) config[name] = value
  for (const [name, value] of Object.entries(overrides)) config[name] = { ...config[name], ...value }
  await writeFile(file, JSON.stringify(config))
}

interface Identity {
  ID: string
  AgentVersion: string
  Addresses: string[]
}

async function identity(api: string): Promise<Identity> {
  const response = await fetch(`${api}/api/v0/id`, { method: 'POST' })
  if (!response.ok) throw new Error(`Kubo's id answers ${response.status}: ${await response.text()}`)
  return (await response.json()) as Identity
}

function apiUrl(multiaddr: string): string {
  const [, host, port] = /^\/ip4\/([\d.]+)\/tcp\/(\d+)$/.exec(multiaddr) ?? []
  if (host === undefined || port === undefined) throw new Error(`Kubo's API listens at ${multiaddr}`)
  return `http://${host}:${port}`
}

function byTransport(addresses: string[]): KuboMultiaddrs {
  const find = (pattern: RegExp): string => {
    const address = addresses.find((item) => pattern.test(item))
    if (address === undefined) throw new Error(`Kubo has no ${pattern.source} among: ${addresses.join(' ')}`)
    return address
  }
  return {
    tcp: find(/\/tcp\/\d+\/p2p\//),
    ws: find(/\/tcp\/\d+\/ws\/p2p\//),
    webtransport: find(/\/webtransport\/certhash\//),
    webrtcDirect: find(/\/webrtc-direct\/certhash\//),
  }
}

async function runIpfs(
  binary: string,
  args: string[],
  env: Record<string, string>,
  options: IpfsOptions = {},
): Promise<Buffer> {
  const child = spawn(binary, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
  })
  child.stdin.on('error', () => {
    // EPIPE when it ended without reading: its exit code tells.
  })
  child.stdin.end(options.input ?? new Uint8Array())
  const [output, errors, code] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ])
  if (code !== 0) throw new Error(`ipfs ${args.join(' ')} ended with ${String(code)}: ${errors.toString().trim()}`)
  return output
}

async function collect(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
