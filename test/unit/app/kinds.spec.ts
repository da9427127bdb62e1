import { describe, expect, it } from 'vitest'
import { kindOf, sniff } from '../../../src/app/content/kinds.ts'

const head = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

describe('what the browser may decode', () => {
  it('believes the bytes, not the name', () => {
    expect(sniff(head('\x89PNG\r\n\x1a\n'), 'evil.html')).toEqual({ kind: 'image', type: 'image/png' })
    expect(sniff(head('RIFF\0\0\0\0WEBPVP8 '), 'a.txt')).toEqual({ kind: 'image', type: 'image/webp' })
    expect(sniff(head('%PDF-1.7'), 'a.jpg')).toEqual({ kind: 'pdf', type: 'application/pdf' })
    expect(sniff(head('\0\0\0\x18ftypisom'), 'a.mp4').type).toBe('video/mp4')
    expect(sniff(head('\0\0\0\x18ftypM4A '), 'a.mp4').type).toBe('audio/mp4')
  })

  it('takes documents that can run script for text', () => {
    for (const text of [
      '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
      '<!doctype html><script>1</script>',
    ]) {
      for (const name of ['a.svg', 'a.html', 'a.png', 'a']) {
        expect(sniff(head(text), name)).toEqual({ kind: 'text', type: 'text/plain;charset=utf-8' })
      }
    }
    expect(sniff(head('a\0b'), 'a.txt').kind).toBe('other')
  })

  it('tells kinds from names for icons', () => {
    expect(['a.JPG', 'b.tar.gz', '.png', 'x', 'c.svg'].map(kindOf)).toEqual([
      'image',
      'archive',
      'other',
      'other',
      'text',
    ])
  })
})
