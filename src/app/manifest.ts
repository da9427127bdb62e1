import type { ManifestOptions } from 'vite-plugin-pwa'

/** Read by vite.config.ts, which writes `/manifest.webmanifest`. Colours are those of `styles/tokens.css`. */
export const manifest: Partial<ManifestOptions> = {
  id: '/',
  name: 'Pocket IPFS',
  short_name: 'Pocket',
  description: 'Send files straight from this phone to another one: full quality, no account, no size limit.',
  lang: 'en',
  dir: 'ltr',
  start_url: '/#/',
  scope: '/',
  display: 'standalone',
  orientation: 'any',
  background_color: '#1d4b7a',
  theme_color: '#1d4b7a',
  categories: ['utilities', 'productivity'],
  icons: [
    { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
    { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
    { src: '/icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    { src: '/icons/monochrome-512.png', sizes: '512x512', type: 'image/png', purpose: 'monochrome' },
    { src: '/icons/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
  ],
  shortcuts: [
    {
      name: 'Receive a file',
      short_name: 'Receive',
      url: '/#/receive',
      icons: [{ src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png' }],
    },
  ],
}
