import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HOST_PROTOCOL } from '../../../src/contract/host-link.ts'

/** What says how pages and hosts talk; what crosses the net is not theirs alone. */
const FILES = [...readdirSync('src/contract').map((name) => `src/contract/${name}`), 'src/rpc/wire.ts'].filter(
  (path) => !/companion-|\/link\.ts|save-link/.test(path),
)

/**
 * Pages and hosts of different builds meet after an update. When this fails the way in which they talk has changed: raise
 * HOST_PROTOCOL, unless nobody has a build with the present number, and write both down here.
 */
const KNOWN = { protocol: 4, digest: '9570bcbcce5711a0' }

/** Comments and layout do not count. */
function digest(): string {
  const hash = createHash('sha256')
  for (const path of FILES.toSorted()) {
    const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    hash.update(`${path}\n${text.replace(/\s+/g, ' ')}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

describe('the number of the protocol between pages and hosts', () => {
  it('belongs to what they say to each other', () => {
    expect({ protocol: HOST_PROTOCOL, digest: digest() }).toEqual(KNOWN)
  })
})
