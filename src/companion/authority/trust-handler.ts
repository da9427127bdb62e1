import { X509Certificate } from 'node:crypto'
import { mobileconfig } from './mobileconfig.ts'
import { TRUST_CSS, TRUST_JS, trustPage } from './trust-page.ts'
import { textReply } from '../web/reply.ts'
import type { Handler, Reply } from '../web/reply.ts'
import type { LocalAuthority } from './authority.ts'

/** Also over https, where a phone that trusts it already can hand it on; named in the companion's description. */
export const AUTHORITY_PATH = '/.well-known/pocket-authority.crt'

/**
 * Plain http from the network: nothing of the app, which would not work there, only how to get to https.
 * From this machine itself plain http is the app: browsers trust localhost, and a phone on a cable arrives so as well (adb reverse).
 */
export function trustHandlers(
  authority: Pick<LocalAuthority, 'certificate' | 'fingerprint' | 'name'>,
  appUrl: () => string,
): Handler[] {
  const page = (): Reply =>
    file(
      'text/html; charset=utf-8',
      trustPage({ appUrl: appUrl(), name: authority.name, fingerprint: authority.fingerprint }),
    )
  // DER, what a .crt file is expected to hold.
  const certificate = file('application/x-x509-ca-cert', new X509Certificate(authority.certificate).raw)
  const files: Readonly<Record<string, () => Reply>> = {
    '/': page,
    '/trust.css': () => file('text/css; charset=utf-8', TRUST_CSS),
    '/trust.js': () => file('text/javascript; charset=utf-8', TRUST_JS),
    '/pocket-authority.crt': () => certificate,
    '/pocket.mobileconfig': () =>
      file('application/x-apple-aspen-config', mobileconfig(authority.certificate, authority.name)),
  }
  return [
    { canHandle: ({ path }) => path === AUTHORITY_PATH, handle: () => certificate },
    {
      canHandle: ({ secure, local }) => !secure && !local,
      handle: ({ path, method }) =>
        method !== 'GET' && method !== 'HEAD'
          ? textReply(405, 'This address can only be read.', { allow: 'GET, HEAD' })
          : Object.hasOwn(files, path)
            ? (files[path] ?? page)()
            : textReply(302, 'The way in is at /', { location: '/' }),
    },
  ]
}

function file(type: string, body: string | Uint8Array): Reply {
  return { status: 200, headers: { 'content-type': type, 'cache-control': 'no-store' }, body }
}
