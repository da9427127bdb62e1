interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>
}

type DetectorClass = new (options: { formats: string[] }) => Detector

/** The browser's own reader where it has one (Chrome on Android), else a library, loaded at the first use. */
async function createDetector(): Promise<Detector> {
  const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector
  if (own !== undefined) {
    try {
      return new own({ formats: ['qr_code'] })
    } catch {
      // Chrome on a desktop without the system's reader has the class and refuses to make one.
    }
  }
  const { BarcodeDetector } = await import('qr/decode.js')
  return new BarcodeDetector({ formats: ['qr_code'] })
}

/** Between two looks, in ms: a phone reads some ten pictures a second without getting warm. */
const LOOK_MS = 120

/**
 * Shows the camera in `video` and calls `found` with every text that a QR code in view holds, until `signal` aborts.
 * Rejects with the browser's DOMException when there is no camera or no permission.
 */
export async function scan(video: HTMLVideoElement, found: (text: string) => void, signal: AbortSignal): Promise<void> {
  // An insecure page has no `mediaDevices` at all.
  const devices = navigator.mediaDevices as MediaDevices | undefined
  if (devices === undefined) throw new DOMException('No camera here', 'NotFoundError')
  const stream = await devices.getUserMedia({ video: { facingMode: 'environment' }, audio: false })
  try {
    const detector = await createDetector()
    video.srcObject = stream
    await video.play()
    while (!signal.aborted) {
      const codes = await detector.detect(video).catch(() => [])
      for (const { rawValue } of codes) if (!signal.aborted) found(rawValue)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } finally {
    for (const track of stream.getTracks()) track.stop()
    video.srcObject = null
  }
}
