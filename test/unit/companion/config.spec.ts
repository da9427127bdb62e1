import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FIELDS, environmentName, loadConfig } from '../../../src/companion/config.ts'
import { parseJsonc } from '../../../src/companion/jsonc.ts'
import { temporaryFolder } from './support.ts'
import type { FieldName } from '../../../src/companion/config.ts'

const EXAMPLE = new URL('../../../relay-config/companion.example.jsonc', import.meta.url)

async function file(content: string): Promise<string> {
  const path = join(await temporaryFolder(), 'companion.jsonc')
  await writeFile(path, content)
  return path
}

describe('configuration', () => {
  it('takes the defaults where nothing is said', () => {
    const config = loadConfig()
    for (const [name, field] of Object.entries(FIELDS)) expect(config[name as FieldName]).toEqual(field.default)
    expect(config.hosts).toEqual(['127.0.0.1', '::1'])
    expect(config.maxReservations).toBeGreaterThan(15)
  })

  it('prefers flags to the environment to the file to the defaults', async () => {
    const path = await file('{ "port": 1001, "maxPeers": 11, "appDir": "file", // a comment\n }')
    const env = { POCKET_PORT: '1002', POCKET_MAX_PEERS: '12' }
    const config = loadConfig({ file: path, env, flags: { port: { flag: '--port', value: 1003 } } })
    expect(config).toMatchObject({
      port: 1003,
      maxPeers: 12,
      appDir: 'file',
      idleTimeoutMs: FIELDS.idleTimeoutMs.default,
    })
  })

  it('finds the file through POCKET_CONFIG', async () => {
    expect(loadConfig({ env: { POCKET_CONFIG: await file('{"port":1}') } }).port).toBe(1)
  })

  it.each<[variable: string, text: string, field: FieldName, value: unknown]>([
    ['POCKET_PORT', '0', 'port', 0],
    ['POCKET_HOSTS', '0.0.0.0, ::', 'hosts', ['0.0.0.0', '::']],
    ['POCKET_APP_DIR', '', 'appDir', ''],
    ['POCKET_LOCAL_AUTHORITY', 'true', 'localAuthority', true],
    ['POCKET_LOCAL_NAME', 'laptop.local', 'localName', 'laptop.local'],
    ['POCKET_TRUSTED_PROXIES', '', 'trustedProxies', []],
    ['POCKET_ANNOUNCE', '/dns4/example.org/tcp/443/tls/ws', 'announce', ['/dns4/example.org/tcp/443/tls/ws']],
    ['POCKET_CIRCUIT_BYTES', '1048576', 'circuitBytes', 1_048_576],
  ])('reads %s=%s', (variable, text, field, value) => {
    expect(loadConfig({ env: { [variable]: text } })[field]).toEqual(value)
  })

  it.each([
    ['POCKET_PORT', '80x', 'POCKET_PORT must be a whole number from 0 to 65535, not "80x"'],
    ['POCKET_PORT', '65536', 'POCKET_PORT must be'],
    ['POCKET_PORT', '', 'POCKET_PORT must be'],
    ['POCKET_HOSTS', '', 'POCKET_HOSTS must be a list of IP addresses with at least one'],
    ['POCKET_HOSTS', 'localhost', 'POCKET_HOSTS must be'],
    ['POCKET_DATA_DIR', '', 'POCKET_DATA_DIR must be a text that is not empty'],
    ['POCKET_LOCAL_AUTHORITY', 'yes', 'POCKET_LOCAL_AUTHORITY must be true or false'],
    ['POCKET_LOCAL_NAME', 'a b', 'POCKET_LOCAL_NAME must be a host name'],
    ['POCKET_ANNOUNCE', '/ip4/1.2.3.4/tcp/80', 'POCKET_ANNOUNCE must be a list of multiaddrs that end in /ws'],
    ['POCKET_ANNOUNCE', 'wss://example.org', 'POCKET_ANNOUNCE must be'],
    ['POCKET_MAX_PEERS', '0', 'POCKET_MAX_PEERS must be'],
    ['POCKET_MAX_PEERS', '1e3', 'POCKET_MAX_PEERS must be'],
    ['POCKET_PROT', '1', 'POCKET_PROT is not a field'],
  ])('refuses %s=%s', (variable, text, sentence) => {
    expect(() => loadConfig({ env: { [variable]: text } })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(sentence) as string }),
    )
  })

  it.each([
    ['{ "prot": 1 }', 'has an unknown field "prot"'],
    ['{ "port": "8080" }', '"port" in '],
    ['{ "port": 80.5 }', 'must be a whole number'],
    ['{ "hosts": "127.0.0.1" }', '"hosts" in '],
    ['{ "__proto__": 1 }', 'unknown field'],
    ['[]', 'must hold one object'],
    ['{ "port": ', 'is not JSON'],
    ['{ "appDir": "a\\u0000b" }', '"appDir" in '],
  ])('refuses the file %s', async (content, sentence) => {
    const path = await file(content)
    expect(() => loadConfig({ file: path })).toThrow(sentence)
    expect(() => loadConfig({ file: path })).toThrow(path)
  })

  it('refuses a file that is not there', () => {
    expect(() => loadConfig({ file: '/nowhere/companion.jsonc' })).toThrow('cannot be read')
  })

  it('keeps // inside of texts', () => {
    expect(parseJsonc('{ "a": "http://x", /* b */ "c": ["\\"//", ], }', 'x')).toEqual({ a: 'http://x', c: ['"//'] })
  })

  it('is shown whole, with its defaults, in the example', () => {
    const example = parseJsonc(readFileSync(EXAMPLE, 'utf8'), 'example')
    expect(example).toEqual(Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.default])))
  })

  it('accepts the example for production', () => {
    const production = fileURLToPath(new URL('../../../relay-config/companion.production.jsonc', import.meta.url))
    expect(loadConfig({ file: production })).toMatchObject({
      announce: ['/dns4/example.org/tcp/443/tls/ws'],
      trustedProxies: ['127.0.0.1', '::1'],
    })
  })

  it('has one environment variable a field', () => {
    expect(environmentName('maxConnectionsPerAddress')).toBe('POCKET_MAX_CONNECTIONS_PER_ADDRESS')
  })
})
