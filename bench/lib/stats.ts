/** What a row of figures is told by. */

export interface Summary {
  median: number
  min: number
  max: number
  values: number[]
}

/** @throws when there is no value: a median of nothing is no figure */
export function summarize(values: number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  const lower = sorted.length % 2 === 0 ? sorted[middle - 1] : upper
  const min = sorted[0]
  const max = sorted.at(-1)
  if (upper === undefined || lower === undefined || min === undefined || max === undefined) {
    throw new Error('Nothing was measured')
  }
  return { median: (upper + lower) / 2, min, max, values }
}
