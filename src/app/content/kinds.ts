/**
 * What a file is, told from its name for icons and from its bytes for anything that the browser decodes. Content comes
 * from strangers: a type that the browser acts on is taken from this list, never from the sender's word. HTML and SVG
 * are documents that can run script: they are text here.
 */
export type Kind = 'image' | 'video' | 'audio' | 'text' | 'pdf' | 'archive' | 'folder' | 'other'

const EXTENSIONS: Record<Exclude<Kind, 'folder' | 'other'>, string> = {
  image: 'jpg jpeg png gif webp avif heic heif bmp',
  video: 'mp4 m4v mov webm mkv ogv',
  audio: 'mp3 m4a aac wav flac ogg oga opus',
  text: 'txt md csv json xml html htm svg css js ts log ini yaml yml toml srt vtt',
  pdf: 'pdf',
  archive: 'zip gz tgz tar 7z rar bz2 xz car',
}

const BY_EXTENSION = new Map(
  Object.entries(EXTENSIONS).flatMap(([kind, list]) => list.split(' ').map((extension) => [extension, kind as Kind])),
)

export function kindOf(name: string): Kind {
  return BY_EXTENSION.get(extensionOf(name)) ?? 'other'
}

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
}

/** Bytes of the beginning that `sniff` wants to see. */
export const HEAD_BYTES = 512

export interface Sniffed {
  kind: Kind
  /** Safe to give to a blob that an element of the page decodes. */
  type: string
}

const MAGIC: [kind: Kind, type: string, offset: number, bytes: string][] = [
  ['image', 'image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image', 'image/jpeg', 0, '\xff\xd8\xff'],
  ['image', 'image/gif', 0, 'GIF8'],
  ['image', 'image/webp', 8, 'WEBP'],
  ['image', 'image/bmp', 0, 'BM'],
  ['image', 'image/avif', 4, 'ftypavi'],
  ['image', 'image/heic', 4, 'ftyphei'],
  ['image', 'image/heic', 4, 'ftypmif1'],
  ['audio', 'audio/mp4', 4, 'ftypM4A'],
  ['video', 'video/mp4', 4, 'ftyp'],
  ['video', 'video/webm', 0, '\x1a\x45\xdf\xa3'],
  ['audio', 'audio/wav', 8, 'WAVE'],
  ['audio', 'audio/flac', 0, 'fLaC'],
  ['audio', 'audio/ogg', 0, 'OggS'],
  ['audio', 'audio/mpeg', 0, 'ID3'],
  ['audio', 'audio/mpeg', 0, '\xff\xfb'],
  ['audio', 'audio/mpeg', 0, '\xff\xf3'],
  ['audio', 'audio/aac', 0, '\xff\xf1'],
  ['pdf', 'application/pdf', 0, '%PDF-'],
  ['archive', 'application/octet-stream', 0, 'PK\x03\x04'],
  ['archive', 'application/octet-stream', 0, '\x1f\x8b'],
]

export function sniff(head: Uint8Array, name: string): Sniffed {
  const latin = String.fromCharCode(...head.subarray(0, 64))
  const found = MAGIC.find(([, , offset, bytes]) => latin.startsWith(bytes, offset))
  if (found !== undefined) {
    const [kind, type] = found
    // Ogg holds either; only the name tells them apart cheaply.
    if (type === 'audio/ogg' && kindOf(name) === 'video') return { kind: 'video', type: 'video/ogg' }
    return { kind, type }
  }
  return isText(head)
    ? { kind: 'text', type: 'text/plain;charset=utf-8' }
    : { kind: 'other', type: 'application/octet-stream' }
}

function isText(head: Uint8Array): boolean {
  if (head.includes(0)) return false
  try {
    // The last character may be cut in two.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}
