/** A raw RTCDataChannel between two pages: the most that a transfer between them can reach. */
import type { JSHandle, Page } from '@playwright/test'

interface End {
  connection: RTCPeerConnection
  channel: Promise<RTCDataChannel>
}

export interface RawChannel {
  /** Sends `bytes` from the one page to the other in messages of `messageBytes`; ms from the request to the last byte. */
  transfer(bytes: number, messageBytes: number): Promise<number>
  close(): Promise<void>
}

export async function openRawChannel(sender: Page, receiver: Page): Promise<RawChannel> {
  const to = await receiver.evaluateHandle(offering)
  const from = await sender.evaluateHandle(accepting)
  await from.evaluate(answerTo, await to.evaluate(descriptionOf))
  await to.evaluate(
    (end, description) => end.connection.setRemoteDescription(description),
    await from.evaluate(descriptionOf),
  )
  await Promise.all([to.evaluate(opened), from.evaluate(opened)])
  return {
    async transfer(bytes, messageBytes) {
      await from.evaluate(sendWhenAsked, { bytes, messageBytes })
      return to.evaluate(ask, bytes)
    },
    async close() {
      await Promise.all([to, from].map((end: JSHandle<End>) => end.evaluate(({ connection }) => connection.close())))
    },
  }
}

// What follows runs in a page: nothing outside of each function is there.

async function offering(): Promise<End> {
  const connection = new RTCPeerConnection({ iceServers: [] })
  const channel = Promise.resolve(connection.createDataChannel('bench'))
  await connection.setLocalDescription()
  return { connection, channel }
}

function accepting(): End {
  const connection = new RTCPeerConnection({ iceServers: [] })
  const channel = new Promise<RTCDataChannel>((resolve) => {
    connection.ondatachannel = (event) => resolve(event.channel)
  })
  return { connection, channel }
}

async function answerTo({ connection }: End, description: RTCSessionDescriptionInit): Promise<void> {
  await connection.setRemoteDescription(description)
  await connection.setLocalDescription()
}

/** With all candidates in it. */
async function descriptionOf({ connection }: End): Promise<RTCSessionDescriptionInit> {
  if (connection.iceGatheringState !== 'complete') {
    await new Promise<void>((resolve) => {
      connection.onicegatheringstatechange = () => {
        if (connection.iceGatheringState === 'complete') resolve()
      }
    })
  }
  const { type, sdp } = connection.localDescription ?? {}
  if (type === undefined || sdp === undefined) throw new Error('no description')
  return { type, sdp }
}

async function opened(end: End): Promise<void> {
  const channel = await end.channel
  channel.binaryType = 'arraybuffer'
  if (channel.readyState === 'open') return
  await new Promise((resolve, reject) => {
    channel.onopen = resolve
    channel.onerror = () => reject(new Error('the channel did not open'))
  })
}

/** Resolves when it is ready to be asked. */
async function sendWhenAsked(end: End, size: { bytes: number; messageBytes: number }): Promise<void> {
  const channel = await end.channel
  /** Chromium closes a channel at 16 MiB; much less keeps it just as busy. */
  const high = 4 * 1024 * 1024
  channel.bufferedAmountLowThreshold = 1024 * 1024
  const message = crypto.getRandomValues(new Uint8Array(65_536))
  const full = new Uint8Array(size.messageBytes)
  for (let at = 0; at < full.byteLength; at += message.byteLength) full.set(message, at)
  let left = size.bytes
  const fill = (): void => {
    while (left > 0 && channel.bufferedAmount < high) {
      channel.send(left < full.byteLength ? full.subarray(0, left) : full)
      left -= Math.min(left, full.byteLength)
    }
  }
  channel.onbufferedamountlow = fill
  channel.onmessage = fill
}

/** Resolves with ms from the request to the last byte. */
async function ask(end: End, bytes: number): Promise<number> {
  const channel = await end.channel
  return new Promise((resolve, reject) => {
    let got = 0
    const start = performance.now()
    channel.onclose = () => reject(new Error(`closed after ${got} of ${bytes} bytes`))
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      got += data.byteLength
      if (got >= bytes) resolve(performance.now() - start)
    }
    channel.send('go')
  })
}
