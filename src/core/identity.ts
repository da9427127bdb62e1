import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import type { StateTable } from './ports.ts'

const KEY = 'identity'

/** The node's Ed25519 key: made once, kept in the node's own storage, never handed out. */
export async function loadIdentity(state: StateTable): Promise<PrivateKey> {
  const stored = await state.get(KEY)
  if (stored instanceof Uint8Array) return privateKeyFromProtobuf(stored)
  const key = await generateKeyPair('Ed25519')
  await state.set(KEY, privateKeyToProtobuf(key))
  return key
}
