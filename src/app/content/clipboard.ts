import { t } from '../strings/index.ts'
import { stamp } from '../strings/format.ts'
import { fromInput, type Collected } from './collect.ts'

/** Pictures and text of the clipboard as files. Asks for permission where the browser does. */
export async function readClipboard(): Promise<Collected[] | 'denied'> {
  // Firefox before 127 has no `read`; an insecure page has no clipboard at all.
  const clipboard = navigator.clipboard as Partial<Clipboard> | undefined
  if (clipboard?.read === undefined) return 'denied'
  try {
    const items = await clipboard.read()
    return (await Promise.all(items.map(toFile))).flatMap((file) =>
      file === undefined ? [] : [{ path: file.name, file }],
    )
  } catch {
    return 'denied'
  }
}

/** What the paste key or a long press brings: the same as the button. */
export function fromPaste(data: DataTransfer | null): Collected[] {
  const files = fromInput(data?.files ?? null)
  const text = data?.getData('text/plain') ?? ''
  if (files.length > 0 || text === '') return files
  const file = textFile(text)
  return [{ path: file.name, file }]
}

function textFile(text: string): File {
  return new File([text], t.home.pastedText(stamp(Date.now())), { type: 'text/plain' })
}

async function toFile(item: ClipboardItem): Promise<File | undefined> {
  const image = item.types.find((type) => /^image\/(png|jpeg|webp)$/.test(type))
  if (image !== undefined) {
    const extension = image.slice('image/'.length).replace('jpeg', 'jpg')
    return new File([await item.getType(image)], t.home.pastedImage(stamp(Date.now()), extension), { type: image })
  }
  if (!item.types.includes('text/plain')) return undefined
  const text = await (await item.getType('text/plain')).text()
  return text === '' ? undefined : textFile(text)
}

/** Whether it was copied. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}
