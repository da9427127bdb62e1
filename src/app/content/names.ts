import type { PocketNode } from '../../contract/node-api.ts'
import { t } from '../strings/index.ts'
import { day } from '../strings/format.ts'
import { sniff, type Sniffed } from './kinds.ts'
import { readHead } from './read.ts'

const EXTENSIONS: [type: RegExp, extension: string][] = [
  [/^image\/jpeg$/, '.jpg'],
  [/^(image|video|audio)\/(png|gif|webp|bmp|avif|heic|mp4|webm|wav|flac|aac)$/, '.$2'],
  [/^audio\/mpeg$/, '.mp3'],
  [/^(audio|video)\/ogg$/, '.ogg'],
  [/^application\/pdf$/, '.pdf'],
  [/^text\/plain/, '.txt'],
]

/** What to call something that came without a name: `Photo 21 Nov.jpg`. Reads its beginning, from the network if need be. */
export async function nameByContent(node: PocketNode, path: string, signal: AbortSignal): Promise<string> {
  const { type } = await node.stat(path, { signal })
  if (type === 'directory') return nameFor({ kind: 'folder', type: '' }, Date.now())
  return nameFor(sniff(await readHead(node, path, signal), ''), Date.now())
}

export function nameFor({ kind, type }: Sniffed, time: number): string {
  const [pattern, extension] = EXTENSIONS.find(([each]) => each.test(type)) ?? []
  const suffix = pattern === undefined || extension === undefined ? '' : type.replace(pattern, extension)
  return `${t.get.unnamed[kind]} ${day(time)}${suffix.replace(/;.*$/, '')}`
}
