import { expect, it } from 'vitest'
import { nameFor } from '../../../src/app/content/names.ts'
import { sniff } from '../../../src/app/content/kinds.ts'

const head = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

it('names what came without a name by its content and the day', () => {
  const noon = new Date(2026, 10, 21, 12).getTime()
  const heads = ['\xff\xd8\xff\xe0', '\x89PNG\r\n\x1a\n', '\0\0\0\x18ftypisom', 'ID3', '%PDF-1.7', 'hello', 'a\0b']
  expect(heads.map((each) => nameFor(sniff(head(each), ''), noon))).toEqual([
    'Photo Nov 21.jpg',
    'Photo Nov 21.png',
    'Video Nov 21.mp4',
    'Sound Nov 21.mp3',
    'Document Nov 21.pdf',
    'Text Nov 21.txt',
    'File Nov 21',
  ])
  expect(nameFor({ kind: 'folder', type: '' }, noon)).toBe('Folder Nov 21')
})
