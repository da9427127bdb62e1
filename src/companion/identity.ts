import { join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { PocketError } from '../shared/errors.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'
import type { Ed25519PrivateKey } from '@libp2p/interface'

const FILE = 'identity.key'

/**
 * The companion's Ed25519 key, made on first use. Phones keep the peer id in links and reservations, so it must outlive
 * every restart; a damaged file is refused and never replaced, since replacing it would break all of them in silence.
 * Format: the key as libp2p protobuf in base64, one line, as Kubo's `Identity.PrivKey`.
 */
export async function loadIdentity(dataDir: string): Promise<Ed25519PrivateKey> {
  const path = join(dataDir, FILE)
  const stored = await readPrivateFile(path)
  if (stored !== undefined) return decode(stored, path)
  const key = await generateKeyPair('Ed25519')
  const content = `${Buffer.from(privateKeyToProtobuf(key)).toString('base64')}\n`
  if (await createPrivateFile(path, content)) return key
  return decode((await readPrivateFile(path)) ?? '', path)
}

function decode(content: string, path: string): Ed25519PrivateKey {
  try {
    const key = privateKeyFromProtobuf(Buffer.from(content.trim(), 'base64'))
    if (key.type === 'Ed25519') return key
  } catch {
    // told below, without the content
  }
  throw new PocketError(
    'ERR_INVALID_ARGUMENT',
    `${path} does not hold an Ed25519 key. Restore it from a backup, or move it away to get a new identity.`,
  )
}
