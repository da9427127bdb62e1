import { ECDH, createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'

/** A subscription's keys: a P-256 point and a secret of 16 bytes. */
export interface PushKeys {
  p256dh: Uint8Array
  auth: Uint8Array
}

/** What the example of RFC 8291 fixes and everybody else leaves to chance. */
export interface EncryptOptions {
  privateKey?: Uint8Array
  salt?: Uint8Array
  /** Bytes that the content is filled up to a multiple of, so that its size says less. */
  padTo?: number
}

const CURVE = 'prime256v1'
/** The body may have 4,096 bytes (RFC 8030, 7.2). */
const RECORD_BYTES = 4_096
const HEADER_BYTES = 16 + 4 + 1 + 65
const TAG_BYTES = 16
/** RFC 8291, 4: less the header, the tag and the delimiter. */
export const MAX_PUSH_BYTES = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1

/** The body of a push message: RFC 8291 over RFC 8188 (`aes128gcm`), in one record. */
export function encryptPush(content: Uint8Array, keys: PushKeys, options: EncryptOptions = {}): Buffer {
  const { salt = randomBytes(16), padTo = 1 } = options
  if (content.byteLength > MAX_PUSH_BYTES) throw new RangeError(`A push carries ${MAX_PUSH_BYTES} bytes`)
  const own = createECDH(CURVE)
  if (options.privateKey === undefined) own.generateKeys()
  else own.setPrivateKey(options.privateKey)
  const ownPoint = own.getPublicKey()
  const secret = own.computeSecret(keys.p256dh)

  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.p256dh, ownPoint])
  const input = derive(secret, keys.auth, info, 32)
  const key = derive(input, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(input, salt, Buffer.from('Content-Encoding: nonce\0'), 12)

  const padded = Math.min(Math.ceil(Math.max(1, content.byteLength) / padTo) * padTo, MAX_PUSH_BYTES)
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  const sealed = Buffer.concat([
    cipher.update(content),
    // The last record's delimiter, then padding.
    cipher.update(Buffer.concat([Uint8Array.of(2), Buffer.alloc(padded - content.byteLength)])),
    cipher.final(),
    cipher.getAuthTag(),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(RECORD_BYTES)
  return Buffer.concat([salt, size, Uint8Array.of(ownPoint.byteLength), ownPoint, sealed])
}

/** Whether it is a point on the curve: with another nothing could be encrypted. */
export function isPushKey(p256dh: Uint8Array): boolean {
  try {
    return ECDH.convertKey(p256dh, CURVE).length === 65
  } catch {
    return false
  }
}

function derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, length))
}
