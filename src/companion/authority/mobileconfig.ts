import { X509Certificate, createHash } from 'node:crypto'
import { escapeMarkup } from './escape.ts'

/** Apple's configuration profile (Apple Developer, 'CertificateRoot') that installs `certificate` (PEM) as an authority. */
export function mobileconfig(certificate: string, name: string): string {
  const { raw } = new X509Certificate(certificate)
  const title = escapeMarkup(name)
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>pocket-authority.crt</string>
      <key>PayloadContent</key><data>${raw.toString('base64')}</data>
      <key>PayloadDisplayName</key><string>${title}</string>
      <key>PayloadIdentifier</key><string>pocket-ipfs.authority.certificate</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>${uuidOf(raw, 'certificate')}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key><string>Lets this phone open the Pocket IPFS app of one computer on the local network. It can only speak for private addresses and for that computer's name.</string>
  <key>PayloadDisplayName</key><string>${title}</string>
  <key>PayloadIdentifier</key><string>pocket-ipfs.authority</string>
  <key>PayloadRemovalDisallowed</key><false/>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>${uuidOf(raw, 'profile')}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`
}

/** The same certificate gives the same profile: installing it twice replaces it. */
function uuidOf(raw: Buffer, purpose: string): string {
  const hex = createHash('sha256').update(purpose).update(raw).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`.toUpperCase()
}
