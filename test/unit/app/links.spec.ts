import { expect, it } from 'vitest'
import { looksLikeLink } from '../../../src/app/content/links.ts'

it('tells a link that is damaged from what is none', () => {
  const links = [
    'https://pocket.example/#/get/',
    'ipfs://bafy',
    '/ipfs/bafy',
    '#/get/bafkrei',
    'bafkreifzjut3te',
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG/readme',
    'zdj7WWeQ43G6JJvLWQWZpyHuAMq6uYWRjkBXFad11vE2LHhQ7',
  ]
  for (const link of links) expect(looksLikeLink(` ${link}\n`), link).toBe(true)
  for (const text of ['hello', 'helloworld', 'see you at eight', '12345678']) {
    expect(looksLikeLink(text), text).toBe(false)
  }
})
