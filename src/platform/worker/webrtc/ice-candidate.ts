import type { LentCandidate } from '../../../contract/webrtc-lending.ts'

/** RTCIceCandidate. What the line of text says (RFC 8839, section 5.1) is `null` where it cannot be read. */
export class LentIceCandidate {
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
  readonly usernameFragment: string | null
  readonly foundation: string | null = null
  readonly component: 'rtp' | 'rtcp' | null = null
  readonly priority: number | null = null
  readonly address: string | null = null
  readonly protocol: string | null = null
  readonly port: number | null = null
  readonly type: string | null = null
  readonly tcpType: string | null = null
  readonly relatedAddress: string | null = null
  readonly relatedPort: number | null = null

  constructor(init: LentCandidate = {}) {
    const { candidate = '', sdpMid = null, sdpMLineIndex = null } = init
    if (sdpMid === null && sdpMLineIndex === null) throw new TypeError('sdpMid and sdpMLineIndex are both null')
    this.candidate = candidate
    this.sdpMid = sdpMid
    this.sdpMLineIndex = sdpMLineIndex
    this.usernameFragment = init.usernameFragment ?? null

    const line = parseLine(candidate)
    if (line === undefined) return
    this.foundation = line.foundation
    this.component = line.component === '2' ? 'rtcp' : 'rtp'
    this.priority = Number(line.priority)
    this.address = line.address
    this.protocol = line.protocol.toLowerCase()
    this.port = Number(line.port)
    this.type = line.type
    this.tcpType = line.extensions.get('tcptype') ?? null
    this.relatedAddress = line.extensions.get('raddr') ?? null
    const relatedPort = line.extensions.get('rport')
    this.relatedPort = relatedPort === undefined ? null : Number(relatedPort)
    this.usernameFragment ??= line.extensions.get('ufrag') ?? null
  }

  toJSON(): LentCandidate {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this
    return { candidate, sdpMid, sdpMLineIndex, usernameFragment }
  }
}

function parseLine(text: string) {
  const [foundation, component, protocol, priority, address, port, typ, type, ...rest] = text
    .replace(/^candidate:/, '')
    .trim()
    .split(/\s+/)
  if (foundation === undefined || component === undefined || protocol === undefined || priority === undefined) return
  if (address === undefined || port === undefined || typ !== 'typ' || type === undefined) return
  const extensions = new Map<string, string>()
  for (let at = 0; at + 1 < rest.length; at += 2) extensions.set(rest[at] ?? '', rest[at + 1] ?? '')
  return { foundation, component, protocol, priority, address, port, type, extensions }
}
