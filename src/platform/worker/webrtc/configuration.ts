import type { LentConfiguration } from '../../../contract/webrtc-lending.ts'

/** RTCConfiguration, as far as it can be lent. */
export interface LentConfigurationInit {
  iceServers?: { urls: string | string[]; username?: string; credential?: string }[]
  iceTransportPolicy?: string
  bundlePolicy?: string
  iceCandidatePoolSize?: number
  certificates?: unknown[]
}

/**
 * The fields that a page can be told.
 * @throws NotSupportedError for certificates: a private key does not leave the realm that made it
 */
export function plainConfiguration(init: LentConfigurationInit = {}): LentConfiguration {
  const { iceServers = [], iceTransportPolicy, bundlePolicy, iceCandidatePoolSize, certificates = [] } = init
  if (certificates.length > 0) throw new DOMException('Certificates cannot be lent', 'NotSupportedError')
  return {
    iceServers: iceServers.map(({ urls, username, credential }) => ({
      urls: typeof urls === 'string' ? [urls] : [...urls],
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    })),
    ...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),
    ...(bundlePolicy === undefined ? {} : { bundlePolicy }),
    ...(iceCandidatePoolSize === undefined ? {} : { iceCandidatePoolSize }),
  }
}
