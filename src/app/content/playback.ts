/** Where a sound or video is, so that the next element or source goes on from there. */
export interface Playback {
  /** Seconds. */
  at: number
  playing: boolean
}

/**
 * An attachment that plays what `source` gives. What grows while it arrives comes as ever longer sources: a longer one is
 * taken when nothing plays or the present one has come to its end, and goes on from there.
 */
export function carryOn(playback: Playback, source: () => string): (media: HTMLMediaElement) => () => void {
  return (media) => {
    const listeners = new AbortController()
    const on = (event: string, listener: () => void): void =>
      media.addEventListener(event, listener, { signal: listeners.signal })
    const take = (): void => {
      const url = source()
      if (url !== media.src && (media.paused || media.ended)) media.src = url
    }
    on('play', () => (playback.playing = true))
    on('pause', () => {
      // At the end of a source it wants to go on.
      if (!media.ended) playback.playing = false
    })
    on('timeupdate', () => {
      // A source that is being taken begins at 0.
      if (media.readyState > 0) playback.at = media.currentTime
    })
    on('ended', take)
    on('loadedmetadata', () => {
      if (playback.at > 0) media.currentTime = playback.at
      // Refused where a new element needs a tap of its own: then it waits at the right place.
      if (playback.playing) media.play().catch(() => undefined)
    })
    take()
    return () => listeners.abort()
  }
}
