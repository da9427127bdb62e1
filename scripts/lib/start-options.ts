import { parseArgs } from 'node:util'

export interface StartOptions {
  /** Flags by field of the companion's configuration. */
  flags: {
    port?: { flag: string; value: unknown }
    dataDir?: { flag: string; value: unknown }
    localName?: { flag: string; value: unknown }
    localAuthority?: { flag: string; value: unknown }
    hosts?: { flag: string; value: unknown }
  }
  qr: boolean
  build: boolean
  help: boolean
}

/** What a person typed. Throws an Error with one sentence. */
export function parseStartOptions(args: string[]): StartOptions {
  const { values } = parseArgs({
    args: withHostValue(args),
    options: {
      port: { type: 'string' },
      data: { type: 'string' },
      host: { type: 'string' },
      'no-qr': { type: 'boolean' },
      'no-build': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const { port, data, host } = values
  return {
    flags: {
      ...(port === undefined ? {} : { port: { flag: '--port', value: /^\d{1,5}$/.test(port) ? Number(port) : port } }),
      ...(data === undefined ? {} : { dataDir: { flag: '--data', value: data } }),
      ...(host === undefined
        ? {}
        : {
            localAuthority: { flag: '--host', value: true },
            localName: { flag: '--host', value: host },
            hosts: { flag: '--host', value: ['0.0.0.0', '::'] },
          }),
    },
    qr: values['no-qr'] !== true,
    build: values['no-build'] !== true,
    help: values.help === true,
  }
}

/** parseArgs has no optional values: a bare `--host` becomes `--host=`. */
function withHostValue(args: string[]): string[] {
  const out: string[] = []
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    const next = args[index + 1]
    if (arg !== '--host') out.push(arg)
    else if (next === undefined || next.startsWith('-')) out.push('--host=')
    else {
      out.push(`--host=${next}`)
      index += 1
    }
  }
  return out
}
