/** Side of a thumbnail in device pixels: a third of a phone's width at three pixels a point. */
const SIDE = 320
/** A video's first frame is often black. */
const VIDEO_AT_SECONDS = 0.5
const VIDEO_TIMEOUT_MS = 8000

/** A square cut from the middle, as JPEG. Rejects when the browser cannot decode it. */
export async function drawThumbnail(blob: Blob, kind: 'image' | 'video'): Promise<Blob> {
  if (kind === 'video') return fromVideo(blob)
  const bitmap = await createImageBitmap(blob)
  try {
    return await square(bitmap, bitmap.width, bitmap.height)
  } finally {
    bitmap.close()
  }
}

async function fromVideo(blob: Blob): Promise<Blob> {
  const url = URL.createObjectURL(blob)
  const video = document.createElement('video')
  try {
    video.muted = true
    video.playsInline = true
    video.preload = 'auto'
    const ready = new Promise<void>((resolve, reject) => {
      video.onseeked = () => resolve()
      video.onerror = () => reject(new Error('The video cannot be decoded'))
      video.onloadeddata = () => (video.currentTime = Math.min(VIDEO_AT_SECONDS, video.duration / 2))
      setTimeout(() => reject(new Error('The video took too long')), VIDEO_TIMEOUT_MS)
    })
    video.src = url
    await ready
    return await square(video, video.videoWidth, video.videoHeight)
  } finally {
    video.removeAttribute('src')
    URL.revokeObjectURL(url)
  }
}

async function square(source: CanvasImageSource, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = SIDE
  canvas.height = SIDE
  const side = Math.min(width, height)
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('No canvas')
  // What is transparent would turn black in JPEG.
  context.fillStyle = '#e5e9e5'
  context.fillRect(0, 0, SIDE, SIDE)
  context.imageSmoothingQuality = 'high'
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error('No picture')) : resolve(blob)), 'image/jpeg', 0.8),
  )
}
