const KEY = 'pocket-ipfs:generation'

/**
 * A hung SharedWorker keeps its name, so its replacement needs another, and all pages the same: the name carries a
 * number that pages share in localStorage. Pages that fail to agree meet at the door.
 */
export function currentGeneration(): number {
  const stored = Number(read() ?? memory)
  return Number.isSafeInteger(stored) && stored >= 0 ? stored : 0
}

/** Leaves `generation` behind; several pages may do so at once and agree all the same. */
export function leaveGeneration(generation: number): void {
  if (currentGeneration() > generation) return
  memory = generation + 1
  try {
    localStorage.setItem(KEY, String(memory))
  } catch {
    // No storage, or none left: this page goes on by itself.
  }
}

let memory = 0

function read(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}
