/** A TLS server on the loopback interface with a certificate that no browser trusts. */
// @peculiar/x509 needs it before its own first line.
import 'reflect-metadata'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'

export interface UntrustedServer {
  readonly port: number
  /** Connections whose hand-shake the browser broke off. */
  readonly refusals: () => number
  stop(): Promise<void>
}

export async function startUntrustedServer(): Promise<UntrustedServer> {
  let refusals = 0
  const server = createServer(await selfSigned(), (_request, response) => response.end()).listen(0, '127.0.0.1')
  server.on('tlsClientError', () => refusals++)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    refusals: () => refusals,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    signingAlgorithm: algorithm,
    keys,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  }
}
