/** Counting by client address, in front of everything else: behind a shared listener js-libp2p's own limits see one host. */

/** What is counted as one client: an IPv4 address, or the /64 network of an IPv6 one, which is what a line or a phone gets. */
export function clientKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** The /48 network that a provider gives to one site: it has 65,536 of those that are counted as one client. */
function siteKey(client: string): string | undefined {
  return client.endsWith('::/64') ? `${client.split(':', 3).join(':')}::/48` : undefined
}

/** Counts what is open, in all and of each client. */
export interface Counter {
  readonly size: number
  /** What gives the place back, or `undefined` if there is none left. */
  take(key: string): (() => void) | undefined
}

export function createCounter(max: number, maxPerKey: number): Counter {
  const counts = new Map<string, number>()
  let size = 0
  return {
    get size() {
      return size
    },
    take(key) {
      const count = counts.get(key) ?? 0
      if (size >= max || count >= maxPerKey) return undefined
      size += 1
      counts.set(key, count + 1)
      let taken = true
      return () => {
        if (!taken) return
        taken = false
        size -= 1
        const left = (counts.get(key) ?? 1) - 1
        if (left === 0) counts.delete(key)
        else counts.set(key, left)
      }
    },
  }
}

/** A token bucket for each client. */
export interface Rate {
  take(key: string): boolean
}

/** Forgotten clients are swept when this many are known: a flood from many addresses must not fill the memory. */
const SWEEP_AT = 4096

export function createRate(perSecond: number, burst: number, now: () => number = Date.now): Rate {
  const buckets = new Map<string, { tokens: number; at: number }>()
  let sweptAt = 0
  // A clock that was set back takes nothing away: it would lock everybody out until it is where it was.
  const tokensAt = (bucket: { tokens: number; at: number }, time: number): number =>
    Math.min(burst, bucket.tokens + (Math.max(0, time - bucket.at) / 1000) * perSecond)
  const sweep = (time: number): void => {
    if (buckets.size < SWEEP_AT || (time >= sweptAt && time - sweptAt < 1000)) return
    sweptAt = time
    for (const [key, bucket] of buckets) {
      bucket.tokens = tokensAt(bucket, time)
      bucket.at = time
      if (bucket.tokens >= burst) buckets.delete(key)
    }
  }
  return {
    take(key) {
      const time = now()
      sweep(time)
      const bucket = buckets.get(key) ?? { tokens: burst, at: time }
      bucket.tokens = tokensAt(bucket, time)
      bucket.at = time
      buckets.set(key, bucket)
      if (bucket.tokens < 1) return false
      bucket.tokens -= 1
      return true
    },
  }
}

/** Clients at one site that may be busy at once: a school has several networks. */
const CLIENTS_OF_SITE = 4

/** For what is kept for months: by client, and by the site that an IPv6 one is at. */
export function createNewcomerRate(perHour: number, burst: number, now?: () => number): Rate {
  const clients = createRate(perHour / 3_600, burst, now)
  const sites = createRate((CLIENTS_OF_SITE * perHour) / 3_600, CLIENTS_OF_SITE * burst, now)
  return {
    take(key) {
      const site = siteKey(key)
      return clients.take(key) && (site === undefined || sites.take(site))
    },
  }
}
