import type { Plugin } from 'vite'

const REFUSE = "() => { throw new Error('Left out of this build') }"

/** A codec of which only the number is known. */
const codec = (code: number): string => `export const code = ${code}\nexport const decode = ${REFUSE}`

/** What dependencies of the worker import and this node does not use, and what they find in its place: 60 KB of script. */
const LEFT_OUT = new Map([
  // Helia's own keys and key store: the node's key is libp2p's, and lies in the node's own state.
  ['@ipshipyard/keychain', 'export const keychain = () => () => undefined'],
  [
    '@ipshipyard/crypto',
    `const none = () => ({})
     export { none as ecdsaCrypto, none as ed25519Crypto, none as rsaCrypto }
     export const isPrivateKey = () => false
     export const isPublicKey = () => false`,
  ],
  // Helia's pins: ours are records of our own (src/core/content/pins.ts).
  ['cborg', `export const encode = ${REFUSE}\nexport const decode = ${REFUSE}`],
  // The exporter's ways through what is not UnixFS, which src/core/content/read.ts refuses before.
  ['@ipld/dag-cbor', codec(0x71)],
  ['@ipld/dag-json', codec(0x0129)],
])

/**
 * Replaces those packages. Where one of our own files imports one of them, or a dependency takes more from it than is
 * given here, the build fails.
 */
export function leftOut(): Plugin {
  const PREFIX = '\0left-out:'
  return {
    name: 'left-out',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!LEFT_OUT.has(source)) return null
      if (importer?.includes('/node_modules/') !== true) this.error(`${importer} imports ${source}, which is left out`)
      return PREFIX + source
    },
    load(id) {
      return id.startsWith(PREFIX) ? LEFT_OUT.get(id.slice(PREFIX.length)) : null
    },
  }
}
