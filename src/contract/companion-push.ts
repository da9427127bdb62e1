import { fromBase64Url, toBase64Url } from '../shared/base64url.ts'
import { PocketError } from '../shared/errors.ts'
import { LIMITS } from '../shared/limits.ts'

/**
 * Wakes and left offers, as phone and companion say them to each other over HTTP. All bodies are JSON, binary fields
 * base64url, times milliseconds since 1970. `proof` is a proven peer id (companion-auth.ts), `token` is `Authorization:
 * Bearer` with a capability token that the receiver gave to the sender.
 *
 *     GET    /push/subscriptions         proof   { subscriptions: SubscriptionInfo[] }
 *     POST   /push/subscriptions         proof   SubscriptionRequest → SubscriptionInfo; the same endpoint again renews it
 *     DELETE /push/subscriptions/ID      proof   204
 *     GET    /push/capabilities          proof   { capabilities: CapabilityInfo[] }
 *     PUT    /push/capabilities/ID       proof   CapabilityRequest → CapabilityInfo
 *     DELETE /push/capabilities/ID       proof   204; what was left by it goes too
 *     DELETE /push                       proof   204; forgets all of this peer
 *     POST   /push/wake                  token   WakeRequest → 202 WakeAnswer
 *     PUT    /push/offers/ID             token   OfferRequest → OfferInfo; the same id again replaces it
 *     GET    /push/offers                proof   { offers: LeftOffer[], more: boolean }, oldest first
 *     DELETE /push/offers/ID             proof   204
 *
 * A refusal is `{ code, message, detail? }` with a code of src/shared/errors.ts: 400 ERR_INVALID_ARGUMENT, 401 ERR_NOT_PROVEN
 * (with a challenge in WWW-Authenticate), 403 ERR_NOT_ALLOWED, 404 and 405 ERR_UNKNOWN_METHOD, 409, 413 and 429 (with
 * Retry-After) ERR_LIMIT_EXCEEDED, 421 ERR_INVALID_ARGUMENT for a host name that is not the companion's.
 */
export const PUSH_PATH = '/push'

/** A PushSubscription's toJSON(), and what a browser shows of its own accord when no service worker does. */
export interface SubscriptionRequest {
  /** The push service's URL. */
  endpoint: string
  /** As PushSubscription has it; `null` if it does not say. */
  expirationTime?: number | null
  keys: { p256dh: string; auth: string }
  /** In the receiver's language and without names: Declarative Web Push (Safari 18.4) shows it when the worker does not. */
  notification: { title: string; navigate: string }
}

export interface SubscriptionInfo {
  id: string
  /** Gone then, unless it is renewed. */
  expires: number
}

/** `hash` is SHA-256 of the token's secret: the companion never has the secret before somebody uses it. */
export interface CapabilityRequest {
  hash: string
  expires?: number
}

export interface CapabilityInfo {
  id: string
  expires?: number
}

export type Urgency = 'very-low' | 'low' | 'normal' | 'high'

const URGENCIES: readonly string[] = ['very-low', 'low', 'normal', 'high'] satisfies Urgency[]

export interface WakeRequest {
  /** Sealed for the receiver by the sender: the companion cannot read it, and does not look. */
  payload: string
  /** Seconds that the push service keeps it for a phone that is off (RFC 8030, 5.2). */
  ttl?: number
  urgency?: Urgency
  /** A later wake of the same capability and topic replaces one that was not delivered (RFC 8030, 5.4). The push service sees a hash of it. */
  topic?: string
}

export interface WakeAnswer {
  /** Subscriptions that it is on its way to; 0 says that the receiver takes no pushes now. */
  queued: number
}

/** What a sender leaves for a receiver that is away. */
export interface OfferRequest {
  /** Sealed for the receiver, as a wake's payload. */
  body: string
  /** Seconds that the companion keeps it. */
  ttl?: number
}

export interface OfferInfo {
  id: string
  /** Gone then, collected or not. */
  expires: number
}

export interface LeftOffer extends OfferInfo {
  /** Of the capability that was shown with it: whom the receiver gave it to. */
  capability: string
  left: number
  body: string
}

/**
 * What a service worker finds in `event.data`: a declarative push message (W3C Push API), sealed payload inside. Safari reads it
 * by itself and gives the worker its notification as `event.notification`.
 */
export interface PushMessage {
  web_push: 8030
  /** Asks Safari to let the service worker replace the notification. */
  mutable: true
  notification: { title: string; navigate: string; data: { pocket: 1; payload: string } }
}

export interface CapabilityToken {
  id: string
  secret: Uint8Array<ArrayBuffer>
}

const ID_BYTES = 16
const SECRET_BYTES = 32
const ID_PATTERN = /^[\w-]{22}$/

/** Ids of capabilities, subscriptions and offers: 16 bytes, 22 characters. */
export function newId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)))
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_PATTERN.test(value)
}

/** Made by the receiver, handed to one sender over an authenticated connection. */
export function newCapabilityToken(): CapabilityToken {
  return { id: newId(), secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)) }
}

export function formatCapabilityToken({ id, secret }: CapabilityToken): string {
  return `${id}.${toBase64Url(secret)}`
}

export function parseCapabilityToken(text: string): CapabilityToken | undefined {
  const [id, tail, ...more] = text.split('.')
  const secret = fromBase64Url(tail ?? '')
  if (!isId(id) || secret?.byteLength !== SECRET_BYTES || more.length > 0) return undefined
  return { id, secret }
}

export async function capabilityHash({ secret }: CapabilityToken): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', secret)))
}

export function parseSubscriptionRequest(value: unknown): SubscriptionRequest {
  const { endpoint, expirationTime, keys, notification } = record(value, 'the subscription')
  const { p256dh, auth } = record(keys, 'keys')
  const { title, navigate } = record(notification, 'notification')
  if (typeof endpoint !== 'string' || endpoint.length > LIMITS.maxPushEndpointChars) throw wrong('endpoint')
  if (bytes(p256dh)?.byteLength !== 65) throw wrong('keys.p256dh')
  if (bytes(auth)?.byteLength !== 16) throw wrong('keys.auth')
  if (typeof title !== 'string' || title === '' || title.length > LIMITS.maxPushTitleChars) throw wrong('title')
  const target = appUrl(navigate)
  if (target === undefined) throw wrong('navigate')
  if (expirationTime !== undefined && expirationTime !== null && !isTime(expirationTime)) throw wrong('expirationTime')
  return {
    endpoint,
    expirationTime: expirationTime ?? null,
    keys: { p256dh: p256dh as string, auth: auth as string },
    notification: { title, navigate: target },
  }
}

export function parseCapabilityRequest(value: unknown): CapabilityRequest {
  const { hash, expires } = record(value, 'the capability')
  if (bytes(hash)?.byteLength !== 32) throw wrong('hash')
  if (expires !== undefined && !isTime(expires)) throw wrong('expires')
  return { hash: hash as string, ...(expires === undefined ? {} : { expires }) }
}

export function parseWakeRequest(value: unknown): Required<Omit<WakeRequest, 'topic'>> & { topic?: string } {
  const { payload, ttl = LIMITS.wakeTtlSeconds, urgency = 'normal', topic } = record(value, 'the wake')
  const content = bytes(payload)
  if (content === undefined) throw wrong('payload')
  if (content.byteLength > LIMITS.maxWakeBytes) throw tooLarge('the payload', LIMITS.maxWakeBytes)
  if (!isTime(ttl) || ttl > LIMITS.maxWakeTtlSeconds) throw wrong('ttl')
  if (typeof urgency !== 'string' || !URGENCIES.includes(urgency)) throw wrong('urgency')
  if (topic !== undefined && (typeof topic !== 'string' || !/^[\w-]{1,32}$/.test(topic))) throw wrong('topic')
  return {
    payload: payload as string,
    ttl,
    urgency: urgency as Urgency,
    ...(topic === undefined ? {} : { topic }),
  }
}

export function parseOfferRequest(value: unknown): Required<OfferRequest> {
  const { body, ttl = LIMITS.offerTtlSeconds } = record(value, 'the offer')
  const content = bytes(body)
  if (content === undefined) throw wrong('body')
  if (content.byteLength > LIMITS.maxOfferBytes) throw tooLarge('the offer', LIMITS.maxOfferBytes)
  if (!isTime(ttl) || ttl > LIMITS.maxOfferTtlSeconds) throw wrong('ttl')
  return { body: body as string, ttl }
}

/** What a pushed text says; `undefined` if it is not from a companion. */
export function parsePushMessage(text: string): { title: string; payload: Uint8Array<ArrayBuffer> } | undefined {
  try {
    const { web_push: version, notification } = record(JSON.parse(text), 'the message')
    return version === 8030 ? parsePushNotification(notification) : undefined
  } catch {
    return undefined
  }
}

/** The same of its notification alone. */
export function parsePushNotification(value: unknown): ReturnType<typeof parsePushMessage> {
  const { title, data } = (value ?? {}) as { title?: unknown; data?: unknown }
  const { pocket, payload } = (data ?? {}) as { pocket?: unknown; payload?: unknown }
  const content = bytes(payload)
  if (pocket !== 1 || typeof title !== 'string' || content === undefined) return undefined
  return { title, payload: content }
}

/** Of a secure page: https, or http on this machine. In its ASCII form. */
function appUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LIMITS.maxPushTargetChars || !URL.canParse(value)) return undefined
  const url = new URL(value)
  const secure =
    url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
  return secure && url.href.length <= LIMITS.maxPushTargetChars ? url.href : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function bytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  return typeof value === 'string' ? fromBase64Url(value) : undefined
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw wrong(what)
}

function wrong(what: string): PocketError {
  return new PocketError('ERR_INVALID_ARGUMENT', `This is not understood: ${what}`)
}

function tooLarge(what: string, maxBytes: number): PocketError {
  return new PocketError('ERR_LIMIT_EXCEEDED', `More than ${maxBytes} bytes: ${what}`, { detail: { maxBytes } })
}
