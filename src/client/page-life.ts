export interface PageWatch {
  /** Ends it. */
  signal: AbortSignal
  /** The page goes, or is put into the back/forward cache: held locks and open channels would keep it out. */
  onAway: () => void
  onBack: () => void
  onOnline: () => void
}

/** Tells what happens to the page. */
export function watchPage({ signal, onAway, onBack, onOnline }: PageWatch): void {
  addEventListener('pagehide', () => onAway(), { signal })
  addEventListener('pageshow', (event) => event.persisted && onBack(), { signal })
  addEventListener('online', () => onOnline(), { signal })
}
