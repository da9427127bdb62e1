/** Longer than any dial may take (`dialTimeoutMs`), in s: after that nobody begins to listen. */
const TIMES = 20

/**
 * Says again and again that a connection has failed until somebody closes it. @libp2p/webrtc begins to listen when its
 * half of the handshake is over and does not look at the state it finds then (js-libp2p#3406, seen in 6.0.33): a page
 * lost in between would leave a connection that is listed for ever and carries nothing. To go when
 * rtcpeerconnection-to-conn.ts looks at the first state.
 */
export function repeatUntilClosed(connection: EventTarget & { connectionState: string }): void {
  let left = TIMES
  const timer = setInterval(() => {
    if (connection.connectionState !== 'failed' || left-- === 0) clearInterval(timer)
    else connection.dispatchEvent(new Event('connectionstatechange'))
  }, 1_000)
}
