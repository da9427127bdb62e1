/** What the table of behaviours is written with; free of the test runner, since it also runs in a worker. */

/** An implementation of WebRTC. */
export interface Rtc {
  RTCPeerConnection: typeof RTCPeerConnection
  RTCSessionDescription: typeof RTCSessionDescription
  RTCIceCandidate: typeof RTCIceCandidate
}

export interface Sides {
  /** The side under test, and its peer. */
  local: Rtc
  remote: Rtc
}

export interface Behaviour {
  name: string
  run(sides: Sides & { opened: RTCPeerConnection[] }): Promise<void>
}

export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [a, e] = [JSON.stringify(actual) ?? 'undefined', JSON.stringify(expected) ?? 'undefined']
  if (a !== e) throw new Error(`${what}: ${a.slice(0, 500)} instead of ${e.slice(0, 500)}`)
}

export function ok(condition: unknown, what: string): asserts condition {
  if (condition === false || condition == null) throw new Error(what)
}

/** The name of what `action` throws or rejects with. */
export async function failure(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
  return 'nothing'
}

export function once<E extends Event = Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }))
}

export async function isOpen(channel: RTCDataChannel): Promise<RTCDataChannel> {
  if (channel.readyState === 'connecting') await once(channel, 'open')
  equal(channel.readyState, 'open', 'readyState')
  return channel
}

/** Writes down the events of a target by their types, as they come. */
export function record(target: EventTarget, ...types: string[]): string[] {
  const log: string[] = []
  for (const type of types) target.addEventListener(type, () => log.push(type))
  return log
}

export const CHANNEL_EVENTS = ['open', 'message', 'bufferedamountlow', 'error', 'closing', 'close']

/** Chromium leaves `closing` out when the close that follows is there already. */
export const unhurried = (log: string[]): string[] => (log[0] === 'closing' ? log : ['closing', ...log])

/** Deterministic bytes. */
export function bytes(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(size)
  let state = seed
  for (let at = 0; at < size; at++) data[at] = state = (Math.imul(state, 75) + 74) & 0xff
  return data
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])
}

/** A signalled pair with trickled candidates; without channels there is nothing to connect. */
export async function signal(a: RTCPeerConnection, b: RTCPeerConnection): Promise<void> {
  const pass = (from: RTCPeerConnection, to: RTCPeerConnection) => {
    const early: RTCIceCandidate[] = []
    from.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate === null) return
      if (to.remoteDescription === null) early.push(candidate)
      // The other end may be gone, or going.
      else to.addIceCandidate(candidate).catch(() => undefined)
    })
    return () => Promise.all(early.splice(0).map((candidate) => to.addIceCandidate(candidate)))
  }
  const flush = [pass(a, b), pass(b, a)]
  await a.setLocalDescription(await a.createOffer())
  await b.setRemoteDescription(a.localDescription as RTCSessionDescription)
  await b.setLocalDescription(await b.createAnswer())
  await a.setRemoteDescription(b.localDescription as RTCSessionDescription)
  for (const each of flush) await each()
}

export interface Pair {
  a: RTCPeerConnection
  b: RTCPeerConnection
  /** The two ends of one channel, open. */
  near: RTCDataChannel
  far: RTCDataChannel
}

/** The next channel that arrives, when it has said that it is open. */
export function arrival(connection: RTCPeerConnection): Promise<RTCDataChannel> {
  return new Promise((resolve) => {
    const take = ({ channel }: RTCDataChannelEvent): void =>
      channel.addEventListener('open', () => resolve(channel), { once: true })
    connection.addEventListener('datachannel', take, { once: true })
  })
}

export async function connect({ local, remote, opened }: Sides & { opened: RTCPeerConnection[] }): Promise<Pair> {
  const a = new local.RTCPeerConnection()
  const b = new remote.RTCPeerConnection()
  opened.push(a, b)
  const near = a.createDataChannel('first')
  const arrived = arrival(b)
  await signal(a, b)
  while (a.connectionState !== 'connected') await once(a, 'connectionstatechange')
  return { a, b, near: await isOpen(near), far: await arrived }
}

/** A further channel on a pair. */
export async function openChannel({ a, b }: Pair, label: string, options: RTCDataChannelInit = {}) {
  const arrived = arrival(b)
  const near = a.createDataChannel(label, options)
  return { near: await isOpen(near), far: await arrived }
}

/** Reads `count` messages. */
export function messages(channel: RTCDataChannel, count: number): Promise<unknown[]> {
  return new Promise((resolve) => {
    const got: unknown[] = []
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      got.push(data)
      if (got.length === count) resolve(got)
    })
  })
}
