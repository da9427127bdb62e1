/**
 * Names of this machine on which plain `http:` is asked for: nobody else can listen or answer. The Content Security Policy
 * lists the same, and can: it has no form for `[::1]` or for all of 127.0.0.0/8 (CSP3 §2.3.1, host-source).
 */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1']
