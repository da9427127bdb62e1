/** Base64 with the URL and file name safe alphabet (RFC 4648, 5): keys, tokens and bytes in JSON. Browsers got their own in 2025 only. */

/** Without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** With or without padding; `undefined` where it is not base64url. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*={0,2}$/.test(text)) return undefined
  const bare = text.replaceAll('=', '')
  if (bare.length % 4 === 1) return undefined
  return Uint8Array.from(atob(bare.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
