/** Numbers, sizes and times as people write them, by Intl. The sentences are English, so are the units. */
const LOCALE = 'en'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** 1,234,567 → `1.2 MB`. Decimal units, as phones and shops count. */
export function bytes(size: number): string {
  let value = Math.max(0, size)
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1
  return new Intl.NumberFormat(LOCALE, {
    style: 'unit',
    unit: UNITS[unit] ?? 'byte',
    // 'byte' in its short form is spelled out and long.
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value)
}

/** Picks the plural form and puts the number in the place of `#`. */
export function count(value: number, forms: { one: string; other: string }): string {
  const form = new Intl.PluralRules(LOCALE).select(value) === 'one' ? forms.one : forms.other
  return form.replace('#', new Intl.NumberFormat(LOCALE).format(value))
}

/** 65,000 ms → `1 min`; below a minute in whole seconds. */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000))
  const unit = (value: number, name: 'second' | 'minute' | 'hour'): string =>
    new Intl.NumberFormat(LOCALE, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value)
  if (seconds < 60) return unit(seconds, 'second')
  if (seconds < 3600) return unit(Math.round(seconds / 60), 'minute')
  return unit(Math.round(seconds / 3600), 'hour')
}

/** Letters of a name that a short message has room for. */
const SHORT = 28

/** A long name with its middle left out: the beginning and the extension tell it from others. */
export function short(name: string): string {
  const letters = [...name]
  if (letters.length <= SHORT) return name
  return `${letters
    .slice(0, SHORT - 13)
    .join('')
    .trimEnd()}…${letters.slice(-12).join('').trimStart()}`
}

export function percent(part: number): string {
  return new Intl.NumberFormat(LOCALE, { style: 'percent' }).format(part)
}

export function dateTime(time: number): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' }).format(time)
}

export function day(time: number): string {
  return new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' }).format(time)
}

/** For names of files: no characters that a file system refuses. */
export function stamp(time: number): string {
  const at = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`
}
