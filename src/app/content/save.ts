import type { PocketNode } from '../../contract/node-api.ts'
import { PocketError } from '../../shared/errors.ts'
import { CAPS } from './caps.ts'
import { readBlob } from './read.ts'

export interface Savable {
  path: string
  name: string
  size: number
}

interface FilePicker {
  showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>
}

export type SaveWay = 'download' | 'picker' | 'stream' | 'too-large'

/** Small files go straight to the downloads; large ones stream to the disk, or through memory up to a cap where nothing else can be had. */
export async function saveWay(size: number): Promise<SaveWay> {
  if (size <= CAPS.quickSave) return 'download'
  if ('showSaveFilePicker' in window) return 'picker'
  if ('serviceWorker' in navigator && (await navigator.serviceWorker.getRegistration())?.active) return 'stream'
  return size <= CAPS.blobSave ? 'download' : 'too-large'
}

/**
 * 'saved' once the platform said that it is on disk; 'handed' to the browser's downloads, which tell nothing back.
 *
 * @throws PocketError ERR_ABORTED when the person closed the dialog
 */
export async function saveFile(node: PocketNode, file: Savable, signal: AbortSignal): Promise<'saved' | 'handed'> {
  const way = await saveWay(file.size)
  if (way === 'picker') {
    await stream(node, file, signal)
    return 'saved'
  }
  if (way === 'stream') {
    const { saveToDownloads } = await import('../../client/save.ts')
    await saveToDownloads(node, file)
    return 'handed'
  }
  if (way === 'too-large') throw new PocketError('ERR_LIMIT_EXCEEDED')
  const { blob } = await readBlob(node, file.path, file.name, signal)
  download(blob, file.name)
  return 'handed'
}

async function stream(node: PocketNode, file: Savable, signal: AbortSignal): Promise<void> {
  const handle = await (window as FilePicker).showSaveFilePicker?.({ suggestedName: file.name })
  if (handle === undefined) return
  // `pipeTo` aborts the file when the content breaks off: nothing half-written stays.
  await node.cat(file.path, { signal }).pipeTo(await handle.createWritable(), { signal })
}

/** How long a browser may take to begin reading the blob, in ms. */
const REVOKE_MS = 60_000

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS)
}

export function canSendFiles(): boolean {
  // `canShare` is missing in Firefox, and false for files where only text can be shared.
  return (
    typeof navigator.canShare === 'function' &&
    navigator.canShare({ files: [new File(['-'], 'a.txt', { type: 'text/plain' })] })
  )
}
