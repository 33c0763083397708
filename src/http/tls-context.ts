import type { SecureContextOptions } from 'node:tls'
import type { ServerConfig } from '../config/config.ts'

/** Of TLS 1.2 those with forward secrecy that also authenticate what they encrypt (RFC 9325, 4.2); all of TLS 1.3. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** Returns how a server speaks TLS with this certificate: 1.2 or later, by AEAD suites alone. */
export function secureContextOptions(tls: NonNullable<ServerConfig['tls']>): SecureContextOptions {
  return { ...tls, minVersion: 'TLSv1.2', ciphers: CIPHERS }
}
