import { importer, type ImporterOptions } from 'ipfs-unixfs-importer'
import { varint } from 'multiformats'
import type { CID } from 'multiformats/cid'
import { PocketError } from '../../shared/errors.ts'
import { pipeline } from '../storage/index.ts'
import type { FileDag } from './file-dag.ts'
import { utf8Bytes } from './utf8.ts'
import type { WriteBehind } from './write-behind.ts'

export interface FolderEntry {
  path: string
  dag: Pick<FileDag, 'cid' | 'dagSize'>
}

interface Folder {
  files: FolderEntry[]
  folders: Map<string, Folder>
}

/** IPIP-499: the CIDs that Kubo makes with the same profile. */
const PROFILE = 'unixfs-v1-2025'
/** Of the same profile: a larger block becomes HAMT shards. */
const SHARD_BYTES = 256 * 1024
/** Folders written side by side. */
const FOLDERS = 16
/** Links of a folder in one turn of the event loop: about 10 ms on a phone. */
const LINKS_A_TURN = 256

/**
 * Writes the directories of files that are there already, those too large for one block as HAMT shards; resolves to the
 * root. `wrap`: the entries have no folder in common.
 */
export async function buildFolder(
  entries: FolderEntry[],
  blocks: Pick<WriteBehind, 'put'>,
  { wrap }: { wrap: boolean },
): Promise<CID> {
  const top = createFolder()
  for (const { path, dag } of entries) {
    const names = path.split('/')
    const name = names.pop() ?? ''
    let folder = top
    for (const each of names) {
      const below = folder.folders.get(each) ?? createFolder()
      folder.folders.set(each, below)
      folder = below
    }
    folder.files.push({ path: name, dag })
  }
  const root = wrap ? top : [...top.folders.values()][0]
  if (root === undefined) throw new PocketError('ERR_INTERNAL', 'The folder has no root')
  return (await writeFolder(root, blocks)).cid
}

function createFolder(): Folder {
  return { files: [], folders: new Map() }
}

/**
 * From the deepest folder upwards, one by one: whether a folder becomes shards depends on the sizes of all its links, and
 * given a whole tree the importer does not count those of folders, which it has not written by then.
 */
async function writeFolder({ files, folders }: Folder, blocks: Pick<WriteBehind, 'put'>): Promise<FolderEntry['dag']> {
  const links = [...files]
  const below = pipeline(folders, FOLDERS, async ([path, folder]) => ({ path, dag: await writeFolder(folder, blocks) }))
  for await (const link of below) links.push(link)
  // What is linked needs no importing: it is handed to what builds directories.
  const dagBuilder: NonNullable<ImporterOptions['dagBuilder']> = async function* () {
    for (const [at, { path, dag }] of links.entries()) {
      // Nothing in it waits for anything: ten thousand links in one go, and the worker counts as dead.
      if (at % LINKS_A_TURN === 0 && at > 0) await new Promise((resolve) => setTimeout(resolve, 0))
      yield async () => ({ cid: dag.cid, path, size: BigInt(dag.dagSize) })
    }
  }
  // Known beforehand, so that the first link makes it shards: the importer would turn five thousand links at once.
  const shardSplitThresholdBytes = blockBytes(links) > SHARD_BYTES ? 0 : SHARD_BYTES
  const options = { profile: PROFILE, wrapWithDirectory: true, dagBuilder, shardSplitThresholdBytes } as const
  let written: FolderEntry['dag'] | undefined
  for await (const { cid, size } of importer([], blocks, options)) {
    written = { cid, dagSize: Number(size) }
  }
  if (written === undefined) throw new PocketError('ERR_INTERNAL', 'The importer made no directory')
  return written
}

/** Bytes of the block of a folder in dag-pb: what its links take, and 4 that say that it is one. */
function blockBytes(links: FolderEntry[]): number {
  const field = (bytes: number): number => 1 + varint.encodingLength(bytes) + bytes
  return links.reduce((sum, { path, dag }) => {
    return sum + field(field(dag.cid.byteLength) + field(utf8Bytes(path)) + 1 + varint.encodingLength(dag.dagSize))
  }, 4)
}
