import type { PocketNode } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { CAPS } from './caps.ts'

interface DirectoryPicker {
  showDirectoryPicker?: (options: { mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>
}

/** Chrome and Edge only; elsewhere the files of a folder are saved one by one. */
export function canSaveFolders(): boolean {
  return 'showDirectoryPicker' in window
}

/**
 * Writes the tree into a new folder below the one that the person picks. Resolves when all of it is on disk.
 *
 * @throws PocketError ERR_ABORTED when the person closed the dialog, ERR_INVALID_NAME for a name the disk refuses
 */
export async function saveFolder(node: PocketNode, path: string, name: string, signal: AbortSignal): Promise<void> {
  const parent = await (window as DirectoryPicker).showDirectoryPicker?.({ mode: 'readwrite' })
  if (parent === undefined) return
  await write(node, path, await newFolder(parent, name), { signal, left: CAPS.folderFiles })
}

interface Writing {
  signal: AbortSignal
  /** A small DAG can stand for a tree without end. */
  left: number
}

async function write(node: PocketNode, path: string, into: FileSystemDirectoryHandle, writing: Writing): Promise<void> {
  const { signal } = writing
  for await (const entry of node.ls(path, { signal })) {
    if (writing.left-- <= 0) throw new PocketError('ERR_LIMIT_EXCEEDED')
    if (entry.type === 'directory') {
      await write(node, entry.cid, await named(into.getDirectoryHandle(entry.name, { create: true })), writing)
    } else {
      const file = await named(into.getFileHandle(entry.name, { create: true }))
      await node.cat(entry.cid, { signal }).pipeTo(await file.createWritable(), { signal })
    }
  }
}

/** One of its own: nothing that is there already is written over. */
async function newFolder(parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemDirectoryHandle> {
  const taken = new Set<string>()
  for await (const each of parent.keys()) taken.add(each)
  let free = name
  for (let copy = 2; taken.has(free); copy += 1) free = `${name} (${copy})`
  return named(parent.getDirectoryHandle(free, { create: true }))
}

async function named<T>(handle: Promise<T>): Promise<T> {
  try {
    return await handle
  } catch (cause) {
    // What the platform says of names such as `..` or `a:b`.
    if (cause instanceof TypeError) throw new PocketError('ERR_INVALID_NAME', undefined, { cause })
    throw cause
  }
}
