import { X509Certificate } from 'node:crypto'
import { Server as TlsServer } from 'node:tls'
import type { ServerConfig } from '../config/config.ts'
import { secureContextOptions } from './tls-context.ts'
import type { App } from './types.ts'

/** The certificate that an app serves to new connections. */
export interface ServedCertificate {
  /** Replaces it, unless TLS was off at the start or is off now: that takes a restart. */
  renew(tls: ServerConfig['tls']): void
  /** Returns when it ends (ms), that of the server itself if there is a chain; undefined without TLS. */
  notAfter(): number | undefined
}

/** When the certificate of a listener ends. */
export interface CertificateEnd extends Pick<ServedCertificate, 'notAfter'> {
  readonly of: 'server' | 'admin'
}

/** Returns the certificate of an app that was created with `tls`. */
export function createServedCertificate(
  { server }: Pick<App, 'server'>,
  tls: ServerConfig['tls'],
): ServedCertificate {
  let served = server instanceof TlsServer ? tls : undefined
  let read: { readonly cert: string; readonly notAfter: number } | undefined
  return {
    renew(changed) {
      if (!changed || !(server instanceof TlsServer)) return
      server.setSecureContext(secureContextOptions(changed))
      served = changed
    },
    notAfter() {
      if (!served) return undefined
      const { cert } = served
      if (read?.cert !== cert) read = { cert, notAfter: Date.parse(new X509Certificate(cert).validTo) }
      return read.notAfter
    },
  }
}
