import { escapeMarkup } from './escape.ts'

export interface TrustPageInit {
  /** The app over https. */
  appUrl: string
  /** The authority's name and SHA-256, as the terminal printed it. */
  name: string
  fingerprint: string
}

/** What a phone sees over plain http: how to trust this computer's authority, and the way on once it does. */
export function trustPage({ appUrl, name, fingerprint }: TrustPageInit): string {
  const url = escapeMarkup(appUrl)
  const label = escapeMarkup(name)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trust this computer - Pocket IPFS</title>
<link rel="stylesheet" href="/trust.css">
<script src="/trust.js" type="module"></script>
</head>
<body data-app="${url}">
<main>
<h1>One step before the app opens</h1>
<p>Browsers keep files and camera for secure pages. This computer made a certificate authority of its own to be one:
<strong>${label}</strong>. Your phone must be told once that it may believe it.</p>
<p>It can only speak for private addresses and this computer's name. Do this only for a computer that you know.</p>
<p id="state" role="status">This phone does not trust it yet.</p>
<p><a class="button" id="open" href="${url}">Open the app</a></p>

<details id="iphone">
<summary>iPhone and iPad</summary>
<ol>
<li>In Safari, <a href="/pocket.mobileconfig">download the profile</a> and tap <em>Allow</em>.</li>
<li>Open <em>Settings</em>, tap <em>Profile Downloaded</em>, then <em>Install</em>.</li>
<li>In <em>Settings</em> go to <em>General, About, Certificate Trust Settings</em> and switch <em>${label}</em> on.</li>
<li>Come back here and tap <em>Open the app</em>.</li>
</ol>
<p>To undo it: <em>Settings, General, VPN &amp; Device Management</em>, tap the profile, <em>Remove Profile</em>.</p>
</details>

<details id="android">
<summary>Android</summary>
<ol>
<li><a href="/pocket-authority.crt">Download the certificate</a>.</li>
<li>Open <em>Settings</em> and search for <em>CA certificate</em> (under <em>Security, Encryption &amp; credentials, Install a certificate</em>).</li>
<li>Tap <em>Install anyway</em> and choose <em>pocket-authority.crt</em> among your downloads.</li>
<li>Come back here and tap <em>Open the app</em>. Chrome uses it; Firefox does not on its own.</li>
</ol>
<p>To undo it: <em>Settings, Security, Encryption &amp; credentials, User credentials</em>.</p>
</details>

<h2>Is it the right one?</h2>
<p>This page came without protection. Compare this SHA-256 fingerprint with the one in the terminal, and with the one that the phone shows:</p>
<p class="fingerprint">${escapeMarkup(fingerprint)}</p>
</main>
</body>
</html>
`
}

export const TRUST_CSS = `:root { color-scheme: light dark; --ink: #16211f; --paper: #fbfaf7; --accent: #0b6b5c; --line: #d5d9d4 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ece9; --paper: #121816; --accent: #5cc9b4; --line: #33403c } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem }
h1 { font-size: 1.5rem; line-height: 1.2 } h2 { font-size: 1.125rem; margin-top: 2rem }
a { color: var(--accent) }
.button { display: block; padding: .875rem; border-radius: .75rem; background: var(--accent); color: var(--paper); text-align: center; text-decoration: none; font-weight: 600 }
details { border-top: 1px solid var(--line); padding: .25rem 0 } summary { padding: .75rem 0; font-weight: 600 }
li { margin: .5rem 0 }
.fingerprint { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
`

/** Asks over https whether it is trusted already, again whenever the person comes back from the settings. */
export const TRUST_JS = `const state = document.getElementById('state')
const app = document.body.dataset.app
const apple = /iPhone|iPad|Macintosh/.test(navigator.userAgent)
document.getElementById(apple ? 'iphone' : 'android').open = true
async function ask() {
  try {
    await fetch(new URL('/.well-known/pocket-companion', app), { cache: 'no-store' })
    state.textContent = 'This phone trusts it. You can open the app.'
  } catch {
    state.textContent = 'This phone does not trust it yet.'
  }
}
document.addEventListener('visibilitychange', () => { if (!document.hidden) ask() })
ask()
`
