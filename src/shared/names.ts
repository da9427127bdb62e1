import { LIMITS } from './limits.ts'

/**
 * A name as it may be shown, made safe: nothing that would disguise it, no path. Never refused, since nothing is stored
 * under it.
 */
export function displayName(name: string | undefined, fallback: string): string {
  const clean = (name ?? '')
    // eslint-disable-next-line no-control-regex -- control and bidirectional override characters would disguise a name
    .replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/[/\\]/g, '_')
    .trim()
  return [...clean].slice(0, LIMITS.maxNameBytes).join('') || fallback
}
