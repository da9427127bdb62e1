import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { graphOf, gzipBytes, scriptsOf } from '../../../bench/lib/module-graph.ts'

const files = {
  'index.html':
    '<script type="module" crossorigin src="/a.js"></script><link rel="modulepreload" href="/e.js">' +
    '<link rel="stylesheet" href="/x.css">',
  'a.js': 'import{x}from"./b.js";export*from"./f.js";import("./later.js");x()',
  'b.js': 'import"./c.js";export const x=()=>"import y from \'./not.js\'"',
  'c.js': 'export{z as y}from"./d.js"',
  // Two that need each other: the walk must end.
  'd.js': 'import"./c.js";export const z=1',
  'e.js': 'export default 1',
  'f.js': 'export const w=1',
}
const read = async (path: string): Promise<Uint8Array> => {
  const text = new Map(Object.entries(files)).get(path.slice(1))
  if (text === undefined) throw new Error(`no ${path}`)
  return new TextEncoder().encode(text)
}

describe('the scripts of a built page', () => {
  it('are its module scripts, its preloads and what they import statically, each once', async () => {
    expect((await scriptsOf(read, '/index.html')).sort()).toEqual([
      '/a.js',
      '/b.js',
      '/c.js',
      '/d.js',
      '/e.js',
      '/f.js',
    ])
    expect(await graphOf(read, ['/c.js'])).toEqual(['/c.js', '/d.js'])
  })

  it('are as large as each of them compressed by itself', async () => {
    const size = (name: 'c.js' | 'd.js'): number => gzipSync(files[name]).byteLength
    expect(await gzipBytes(read, ['/c.js', '/d.js'])).toBe(size('c.js') + size('d.js'))
  })
})
