import { expect, it } from 'vitest'
import { utf8Bytes } from '../../../src/core/content/utf8.ts'

it.each(['', 'plain.txt', 'Grüße', '߿ࠀ', '写真', '👍🏽', 'half \ud83d', '\udc4d first', '\ud83d\ud83d\udc4d', '\uffff'])(
  'counts what TextEncoder writes for %j',
  (text) => {
    expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).byteLength)
  },
)
