import { createPrivateKey } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MAX_PUSH_BYTES, encryptPush, isPushKey } from '../../../src/companion/push/encrypt.ts'
import { createVapid, loadVapid } from '../../../src/companion/push/vapid.ts'
import { decryptPush, vapidClaims } from './push-support.ts'
import { temporaryFolder } from './support.ts'

const bytes = (text: string) => Buffer.from(text, 'base64url')

/** RFC 8291, 5 and appendix A. */
const RFC = {
  content: 'When I grow up, I want to be a watermelon',
  senderKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
  receiverKey: bytes('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94'),
  p256dh: bytes('BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'),
  auth: bytes('BTBZMqHH6r4Tts7J_aSIgg'),
  salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
  body: 'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
}

describe('encryption of pushes', () => {
  it('gives the example of RFC 8291', () => {
    const body = encryptPush(Buffer.from(RFC.content), RFC, { privateKey: RFC.senderKey, salt: RFC.salt })
    expect(body.toString('base64url')).toBe(RFC.body)
    expect(decryptPush(body, RFC.receiverKey, RFC.auth)).toBe(RFC.content)
  })

  it('never uses a key or salt twice', () => {
    const [one, two] = [0, 1].map(() => encryptPush(Buffer.from('same'), RFC))
    expect(one?.subarray(0, 86).equals(two?.subarray(0, 86) ?? Buffer.alloc(0))).toBe(false)
  })

  it('hides the size within a step', () => {
    const sizes = [1, 500, 1024].map((size) => encryptPush(Buffer.alloc(size, 'a'), RFC, { padTo: 1024 }).byteLength)
    expect(new Set(sizes)).toEqual(new Set([86 + 1024 + 17]))
    expect(encryptPush(Buffer.alloc(1025), RFC, { padTo: 1024 }).byteLength).toBe(86 + 2048 + 17)
  })

  it('fills 4,096 bytes and no more', () => {
    const full = encryptPush(Buffer.alloc(MAX_PUSH_BYTES, 'x'), RFC, { padTo: 1024 })
    expect(full.byteLength).toBe(4096)
    expect(decryptPush(full, RFC.receiverKey, RFC.auth)).toHaveLength(MAX_PUSH_BYTES)
    expect(() => encryptPush(Buffer.alloc(MAX_PUSH_BYTES + 1), RFC)).toThrow(RangeError)
  })

  it('knows a point from other bytes', () => {
    const off = Buffer.from(RFC.p256dh)
    off[64] = (off[64] ?? 0) ^ 1
    expect([RFC.p256dh, off, Buffer.alloc(65), RFC.p256dh.subarray(1)].map(isPushKey)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('the VAPID key', () => {
  it('is made once, for its owner alone, and stays', async () => {
    const dataDir = await temporaryFolder()
    const [one, two] = await Promise.all([loadVapid(dataDir, 'mailto:a@b.c'), loadVapid(dataDir, 'mailto:a@b.c')])
    expect(two.publicKey).toBe(one.publicKey)
    expect((await stat(join(dataDir, 'vapid.pem'))).mode & 0o777).toBe(0o600)
    expect((await loadVapid(dataDir, 'mailto:a@b.c')).publicKey).toBe(one.publicKey)
  })

  it('is refused when damaged, without saying what is in it, and kept', async () => {
    const dataDir = await temporaryFolder()
    await writeFile(join(dataDir, 'vapid.pem'), 'secret?')
    const error: unknown = await loadVapid(dataDir, '').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect(String(error)).toContain('vapid.pem does not hold a P-256 key')
    expect(String(error)).not.toContain('secret?')
    expect(await readFile(join(dataDir, 'vapid.pem'), 'utf8')).toBe('secret?')
  })

  it('signs who sends, for each push service, anew before the token ends', async () => {
    const dataDir = await temporaryFolder()
    await loadVapid(dataDir, '')
    const key = createPrivateKey(await readFile(join(dataDir, 'vapid.pem')))
    let now = Date.parse('2026-11-21T12:00:00Z')
    const vapid = createVapid(key, 'mailto:operator@example.org', () => now)
    const header = vapid.authorization(new URL('https://push.example:8443/some/thing'))
    const { claims, key: shown } = vapidClaims(header)
    expect(shown).toBe(vapid.publicKey)
    expect(claims).toEqual({
      aud: 'https://push.example:8443',
      exp: now / 1000 + 12 * 3600,
      sub: 'mailto:operator@example.org',
    })
    expect(vapid.authorization(new URL('https://push.example:8443/other'))).toBe(header)
    expect(vapid.authorization(new URL('https://elsewhere.example/'))).not.toBe(header)
    now += 6 * 3_600_000
    expect(vapid.authorization(new URL('https://push.example:8443/'))).not.toBe(header)
    const later = vapid.authorization(new URL('https://push.example:8443/'))
    now -= 24 * 3_600_000
    expect(vapid.authorization(new URL('https://push.example:8443/'))).not.toBe(later)
  })
})
