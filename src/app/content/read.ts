import type { PocketNode } from '../../contract/node-api.ts'
import { HEAD_BYTES, sniff, type Sniffed } from './kinds.ts'

export interface ReadBlob extends Sniffed {
  blob: Blob
}

export async function readHead(node: PocketNode, path: string, signal: AbortSignal): Promise<Uint8Array> {
  return readBytes(node.cat(path, { length: HEAD_BYTES, signal }))
}

/** The whole file with a type from the allow-list. The caller checks its size first. */
export async function readBlob(node: PocketNode, path: string, name: string, signal: AbortSignal): Promise<ReadBlob> {
  const raw = await new Response(node.cat(path, { signal })).blob()
  const head = new Uint8Array(await raw.slice(0, HEAD_BYTES).arrayBuffer())
  const sniffed = sniff(head, name)
  return { ...sniffed, blob: raw.slice(0, raw.size, sniffed.type) }
}

export async function readText(node: PocketNode, path: string, length: number, signal: AbortSignal): Promise<string> {
  return new TextDecoder().decode(await readBytes(node.cat(path, { length, signal })), { stream: true })
}

async function readBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
