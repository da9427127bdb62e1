/** The least that a shared worker can do: answer. */
addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports
  if (port === undefined) return
  port.onmessage = ({ data }) => port.postMessage(data)
})
