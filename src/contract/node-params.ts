import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'
import type { ProfileChoice } from './profile-api.ts'
import type { NodeMethods, WireAddSource, WireContent } from './node-rpc.ts'

const CHOICES: ProfileChoice[] = ['auto', 'full', 'saver', 'offline']

type ParamsParser = { [M in keyof NodeMethods]: (params: unknown) => NodeMethods[M]['params'] }

/**
 * What each method takes, checked for shape: whether a CID decodes is the node's business.
 * @throws PocketError ERR_INVALID_ARGUMENT, with `detail.argument` naming what is wrong; ERR_LIMIT_EXCEEDED,
 * ERR_INVALID_LINK for what is too long
 */
export const parseParams: ParamsParser = {
  id: none,
  add: (params) => {
    const { source, name, transfer } = record(params, 'params')
    return { source: addSource(source), ...optional('name', name, text), ...optional('transfer', transfer, text) }
  },
  cat: (params) => {
    const { path, offset, length } = record(params, 'params')
    return { path: text(path, 'path'), ...optional('offset', offset, bytes), ...optional('length', length, bytes) }
  },
  ls: (params) => ({ path: text(record(params, 'params').path, 'path') }),
  stat: (params) => ({ path: text(record(params, 'params').path, 'path') }),
  'pin.add': (params) => {
    const { path, name, transfer, from } = record(params, 'params')
    return {
      path: text(path, 'path'),
      ...optional('name', name, text),
      ...optional('transfer', transfer, text),
      ...optional('from', from, texts(LIMITS.maxFetchSources)),
    }
  },
  'pin.rm': (params) => ({ cid: text(record(params, 'params').cid, 'cid') }),
  'pin.ls': none,
  'car.import': (params) => {
    const { source, name } = record(params, 'params')
    return { source: content(source), ...optional('name', name, text) }
  },
  'car.export': (params) => ({ path: text(record(params, 'params').path, 'path') }),
  'transfers.start': (params) => {
    const { cid, from, name, priority } = record(params, 'params')
    return {
      cid: text(cid, 'cid'),
      ...optional('from', from, texts(LIMITS.maxFetchSources)),
      ...optional('name', name, text),
      ...optional('priority', priority, integer),
    }
  },
  'transfers.list': none,
  'transfers.get': id,
  'transfers.pause': id,
  'transfers.resume': id,
  'transfers.cancel': id,
  'transfers.retry': id,
  'transfers.watch': none,
  'repo.stat': none,
  'repo.gc': none,
  'repo.verify': (params) => ({ ...optional('repair', record(params, 'params').repair, truth) }),
  'profile.get': none,
  'profile.set': (params) => {
    const { choice } = record(params, 'params')
    const known = CHOICES.find((each) => each === choice)
    if (known === undefined) throw invalid('choice')
    return { choice: known }
  },
  'data.usage': none,
  'data.setCaps': (params) => {
    const { day, month } = record(params, 'params')
    return { ...optional('day', day, cap), ...optional('month', month, cap) }
  },
  dial: (params) => ({ target: text(record(params, 'params').target, 'target') }),
  hangUp: (params) => ({ peerId: text(record(params, 'params').peerId, 'peerId') }),
  peers: none,
  share: (params) => {
    const { cid, name, size, appUrl } = record(params, 'params')
    return {
      cid: text(cid, 'cid'),
      ...optional('name', name, text),
      ...optional('size', size, bytes),
      appUrl: webUrl(appUrl, 'appUrl'),
    }
  },
  open: (params) => {
    const { url } = record(params, 'params')
    // What a person pastes here is a bad link when it is too long, not a mistake of the app.
    if (typeof url === 'string' && url.length > LIMITS.maxLinkChars) {
      throw new PocketError('ERR_INVALID_LINK', undefined, { detail: { part: 'length' } })
    }
    return { url: text(url, 'url') }
  },
  setRelays: (params) => {
    const { multiaddrs } = record(params, 'params')
    return { multiaddrs: texts(LIMITS.maxAddrsPerPeer)(multiaddrs, 'multiaddrs') }
  },
  status: none,
  watch: none,
}

function addSource(value: unknown): WireAddSource {
  const source = record(value, 'source')
  if (source.kind === 'single') return { kind: 'single', content: content(source.content) }
  if (source.kind !== 'entries' || !Array.isArray(source.entries)) throw invalid('source')
  if (source.entries.length > LIMITS.maxFolderEntries) {
    throw new PocketError('ERR_LIMIT_EXCEEDED', 'The folder has too many entries', {
      detail: { limit: LIMITS.maxFolderEntries },
    })
  }
  return {
    kind: 'entries',
    entries: source.entries.map((item) => {
      const entry = record(item, 'source.entries')
      return { path: text(entry.path, 'source.entries.path'), content: content(entry.content) }
    }),
  }
}

function content(value: unknown): WireContent {
  if (value instanceof Blob || value instanceof Uint8Array) return value
  return { body: bytes(record(value, 'source.content').body, 'source.content') }
}

function none(params: unknown): undefined {
  if (params !== undefined) throw invalid('params')
}

function id(params: unknown): { id: string } {
  return { id: text(record(params, 'params').id, 'id') }
}

function text(value: unknown, argument: string): string {
  if (typeof value !== 'string' || value.length > LIMITS.maxLinkChars) throw invalid(argument)
  return value
}

function texts(most: number): (value: unknown, argument: string) => string[] {
  return (value, argument) => {
    if (!Array.isArray(value) || value.length > most) throw invalid(argument)
    return value.map((item) => text(item, argument))
  }
}

function bytes(value: unknown, argument: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(argument)
  return value as number
}

function cap(value: unknown, argument: string): number {
  const size = bytes(value, argument)
  if (size === 0) throw invalid(argument)
  return size
}

function integer(value: unknown, argument: string): number {
  if (!Number.isSafeInteger(value)) throw invalid(argument)
  return value as number
}

function truth(value: unknown, argument: string): boolean {
  if (typeof value !== 'boolean') throw invalid(argument)
  return value
}

function webUrl(value: unknown, argument: string): string {
  const url = text(value, argument)
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw invalid(argument)
  return url
}

function record(value: unknown, argument: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(argument)
  return value as Record<string, unknown>
}

function optional<K extends string, V>(
  key: K,
  value: unknown,
  parse: (value: unknown, argument: string) => V,
): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: parse(value, key) } as Record<K, V>)
}

function invalid(argument: string): PocketError {
  return new PocketError('ERR_INVALID_ARGUMENT', `${argument} has the wrong shape`, { detail: { argument } })
}
