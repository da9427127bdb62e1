import type { Blockstore } from 'interface-blockstore'
import { importer, type ImporterOptions } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import type { FileDag } from './file-dag.ts'

export interface FolderEntry {
  path: string
  dag: FileDag
}

/** IPIP-499: the CIDs that Kubo makes with the same profile. */
const PROFILE = 'unixfs-v1-2025'

/**
 * Writes the directories of files that are there already, those too large for one block as HAMT shards; resolves to the
 * root. `wrap`: the entries have no folder in common.
 */
export async function buildFolder(
  entries: FolderEntry[],
  blocks: Pick<Blockstore, 'get' | 'put' | 'has'>,
  { wrap }: { wrap: boolean },
): Promise<CID> {
  // The files need no importing: they are handed to what builds directories.
  const dagBuilder: NonNullable<ImporterOptions['dagBuilder']> = async function* () {
    for (const { path, dag } of entries) {
      yield async () => ({ cid: dag.cid, path, originalPath: path, size: BigInt(dag.dagSize) })
    }
  }
  let root: CID | undefined
  for await (const { cid } of importer([], blocks, { profile: PROFILE, wrapWithDirectory: wrap, dagBuilder }))
    root = cid
  if (root === undefined) throw new PocketError('ERR_INTERNAL', 'The importer made no root')
  return root
}
