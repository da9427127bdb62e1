import type { AddEntry } from '../../contract/node-api.ts'

export interface Collected {
  /** With `/`, folders included. */
  path: string
  file: File
}

export function fromInput(list: FileList | null): Collected[] {
  return [...(list ?? [])].map((file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }))
}

/** What was dropped, folders walked. The items must be read before the event handler ends: call it synchronously. */
export async function fromDrop(transfer: DataTransfer): Promise<Collected[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  if (entries.length === 0) return fromInput(transfer.files)
  return (await Promise.all(entries.map((entry) => walk(entry, '')))).flat()
}

async function walk(entry: FileSystemEntry, parent: string): Promise<Collected[]> {
  const path = `${parent}${entry.name}`
  if (isFile(entry)) {
    return [{ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) }]
  }
  const found: Collected[] = []
  for (const child of await children(entry as FileSystemDirectoryEntry)) found.push(...(await walk(child, `${path}/`)))
  return found
}

/** `readEntries` gives a hundred at a time, then none. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return all
    all.push(...some)
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

/** iOS calls every photo `image.jpg`: names that repeat get a number. */
export function entriesOf(files: Collected[]): AddEntry[] {
  const taken = new Set<string>()
  return files.map(({ path, file }) => {
    let unique = path
    for (let copy = 2; taken.has(unique); copy += 1) unique = numbered(path, copy)
    taken.add(unique)
    return { path: unique, content: file }
  })
}

function numbered(path: string, copy: number): string {
  const dot = path.lastIndexOf('.')
  return dot > path.lastIndexOf('/') + 1 ? `${path.slice(0, dot)} (${copy})${path.slice(dot)}` : `${path} (${copy})`
}
