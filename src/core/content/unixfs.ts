import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { decodeNode } from './walk.ts'

/** @throws PocketError ERR_INVALID_BLOCK for a node that holds no UnixFS */
export function decodeUnixfs(cid: CID, node: dagPb.PBNode): UnixFS {
  try {
    if (node.Data === undefined) throw new Error('no data')
    return UnixFS.unmarshal(node.Data)
  } catch (cause) {
    throw new PocketError('ERR_INVALID_BLOCK', undefined, { cause, detail: { cid: cid.toString() } })
  }
}

/**
 * What a block is the root of. Size in bytes: of content for a file, of what its links declare for a folder.
 * @throws PocketError ERR_INVALID_BLOCK
 */
export function describeRoot(cid: CID, bytes: Uint8Array): { type: 'file' | 'directory'; size: number } {
  if (cid.code !== dagPb.code) return { type: 'file', size: bytes.byteLength }
  const node = decodeNode(cid, bytes)
  const unixfs = decodeUnixfs(cid, node)
  return unixfs.isDirectory()
    ? { type: 'directory', size: node.Links.reduce((sum, link) => sum + (link.Tsize ?? 0), 0) }
    : { type: 'file', size: Number(unixfs.fileSize()) }
}
