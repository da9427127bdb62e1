import type { LentChannelInfo, LentChannelOptions } from '../../../contract/webrtc-lending.ts'

const MAX_TEXT_BYTES = 65_535
const MAX_ID = 65_534

/**
 * Checks what createDataChannel was given, since the page's answer comes too late to throw.
 * @throws TypeError (webrtc-pc, section 6.1, steps 4 to 15)
 */
export function channelInfo(label: string, options: LentChannelOptions): LentChannelInfo {
  const { ordered = true, maxPacketLifeTime, maxRetransmits, protocol = '', negotiated = false, id } = options
  if (tooLong(label)) throw new TypeError('The label is too long')
  if (tooLong(protocol)) throw new TypeError('The protocol is too long')
  if (maxPacketLifeTime !== undefined && maxRetransmits !== undefined) {
    throw new TypeError('maxPacketLifeTime and maxRetransmits exclude each other')
  }
  if (negotiated && id === undefined) throw new TypeError('A negotiated channel needs an id')
  if (negotiated && id !== undefined && id > MAX_ID) throw new TypeError(`The id is larger than ${MAX_ID}`)
  return {
    label,
    protocol,
    ordered,
    maxPacketLifeTime: maxPacketLifeTime ?? null,
    maxRetransmits: maxRetransmits ?? null,
    negotiated,
    id: negotiated ? (id ?? null) : null,
    readyState: 'connecting',
  }
}

/** Only what is known, and what is there: other fields might not be cloneable. */
export function plainOptions(info: LentChannelInfo): LentChannelOptions {
  const { ordered, maxPacketLifeTime, maxRetransmits, protocol, negotiated, id } = info
  return {
    ordered,
    protocol,
    negotiated,
    ...(maxPacketLifeTime === null ? {} : { maxPacketLifeTime }),
    ...(maxRetransmits === null ? {} : { maxRetransmits }),
    ...(id === null ? {} : { id }),
  }
}

function tooLong(text: string): boolean {
  return new TextEncoder().encode(text).byteLength > MAX_TEXT_BYTES
}
