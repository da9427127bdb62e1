/** What a person removed and a page that went could not remove any more: its worker may go with it. */
export interface LeftRemoval {
  cid: string
  /** Of its pin: what was added anew since then is another. */
  addedAt: number
}

const KEY = 'pocket-left-removals'

/** For the next page; at once, as all that a page that goes can do. */
export function leaveRemovals(left: LeftRemoval[]): void {
  try {
    if (left.length > 0) localStorage.setItem(KEY, JSON.stringify(left))
  } catch {
    // Where nothing can be kept, no pin outlives the app either.
  }
}

/** What the last page left; once. */
export function takeRemovals(): LeftRemoval[] {
  try {
    const left: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    localStorage.removeItem(KEY)
    return Array.isArray(left) ? left.filter(isRemoval) : []
  } catch {
    return []
  }
}

function isRemoval(value: unknown): value is LeftRemoval {
  const { cid, addedAt } = Object(value) as Record<string, unknown>
  return typeof cid === 'string' && typeof addedAt === 'number'
}
