/** What a browser must have loaded before the first line of a built script runs. */
import { posix } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parseAst } from 'vite'

/** Gives the file at a URL path. */
export type Read = (path: string) => Promise<Uint8Array>

const decoder = new TextDecoder()

/** URL paths of the scripts that a document loads at its start: its module scripts and what they import statically. */
export async function scriptsOf(read: Read, html: string): Promise<string[]> {
  const text = decoder.decode(await read(html))
  const tags = text.match(/<(script|link)\b[^>]*>/g) ?? []
  const entries = tags.flatMap((tag) => {
    const preload = /\brel="?modulepreload"?/.test(tag)
    const path = /\b(?:src|href)="([^"]+)"/.exec(tag)?.[1]
    return path !== undefined && (tag.startsWith('<script') || preload) ? [path] : []
  })
  return graphOf(read, entries)
}

/** The scripts themselves and all that they import statically, each once. */
export async function graphOf(read: Read, entries: string[]): Promise<string[]> {
  const seen = new Set<string>()
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return
    seen.add(path)
    for (const source of importsOf(decoder.decode(await read(path)))) {
      await visit(posix.resolve(posix.dirname(path), source))
    }
  }
  for (const entry of entries) await visit(posix.resolve('/', entry))
  return [...seen]
}

/** Sum of the files, each compressed by itself as a server does (gzip, level 6). */
export async function gzipBytes(read: Read, paths: string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => gzipSync(await read(path)).byteLength))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function importsOf(code: string): string[] {
  return parseAst(code).body.flatMap((statement) => {
    const isImport =
      statement.type === 'ImportDeclaration' ||
      statement.type === 'ExportAllDeclaration' ||
      statement.type === 'ExportNamedDeclaration'
    return isImport && statement.source != null ? [statement.source.value] : []
  })
}
