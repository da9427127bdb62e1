import { LOOPBACK_HOSTS } from '../../shared/loopback.ts'

/**
 * Headers of every answer. The app holds somebody's keys and files and renders content that strangers sent, so the
 * browser is told to allow what the app needs and nothing else.
 */

const CONTENT_SECURITY_POLICY = [
  // Whatever is not named below comes from this origin alone.
  "default-src 'self'",
  // No inline script and no eval: a hostile file name that reaches the page as HTML runs nothing. WebAssembly is for hash functions.
  "script-src 'self' 'wasm-unsafe-eval'",
  // A peer-to-peer node dials addresses that nobody knows beforehand: relays (ws:, wss:), WebTransport and trustless
  // gateways (https:), a Kubo on this machine (http: on loopback alone).
  `connect-src 'self' ws: wss: https: ${LOOPBACK_HOSTS.map((host) => `http://${host}:*`).join(' ')}`,
  // Previews and thumbnails are blob: URLs; small drawings are data: URLs.
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  // PDF previews are frames on blob: URLs.
  "frame-src 'self' blob:",
  // Plug-ins are never needed.
  "object-src 'none'",
  // A smuggled <base> must not move the app's scripts to another origin.
  "base-uri 'none'",
  // Only pages of this origin may embed the app: no click-jacking of 'Share' and 'Remove'.
  "frame-ancestors 'self'",
  // A smuggled form must not post anything elsewhere. (The system's share sheet is no form.)
  "form-action 'self'",
].join('; ')

/** Powers of the page: what the app asks for, for itself and not for frames; the rest is off. */
const PERMISSIONS_POLICY = [
  // Scanning a QR code.
  'camera=(self)',
  // Copy a link, show a preview full screen, stay awake during a transfer. (web-share, for its own page on anyway, is unknown to desktop Chromium, which complains.)
  'clipboard-write=(self)',
  'fullscreen=(self)',
  'screen-wake-lock=(self)',
  'microphone=()',
  'geolocation=()',
  'payment=()',
  'usb=()',
].join(', ')

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  // A file of a wrong type is not run because it looks like a script.
  'x-content-type-options': 'nosniff',
  // A page that opens the app, or is opened by it, gets no handle on its window.
  'cross-origin-opener-policy': 'same-origin',
  // Other origins cannot load the app's files into their process.
  'cross-origin-resource-policy': 'same-origin',
  // A link in a shared file does not tell its owner where this app runs.
  'referrer-policy': 'no-referrer',
  'permissions-policy': PERMISSIONS_POLICY,
}
