/** RTCSessionDescription. */
export class LentSessionDescription {
  readonly type: string
  readonly sdp: string

  constructor({ type, sdp = '' }: { type: string; sdp?: string }) {
    this.type = type
    this.sdp = sdp
  }

  toJSON(): { type: string; sdp: string } {
    return { type: this.type, sdp: this.sdp }
  }
}
