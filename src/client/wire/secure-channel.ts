import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { systemCode } from '../../lib/system-error.ts'
import { type ByteChannel, connectionError, createByteChannel } from './byte-channel.ts'
import { WireError } from './wire-error.ts'

/** What a server's certificate says, in printable parts of it that are not checked for that. */
export interface ServerCertificate {
  /** The names that it is for, as in `DNS:orders.example.com`. */
  names: readonly string[]
  issuer: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

/**
 * A channel within TLS to a server whose certificate and name were verified: the only kind that a token may be written to.
 * `openSecureChannel` alone makes one.
 */
export interface SecureChannel extends ByteChannel {
  /** The connection within TLS, for whoever takes it over once the channel is released. */
  readonly stream: Duplex
  readonly certificate: ServerCertificate
  /** As in `TLSv1.3`. */
  readonly tlsVersion: string
  /**
   * Sends what was written, and ends this side as plain TCP does. A server that has been told goodbye reads nothing that comes after
   * it: for TLS's own end, unread, its system would break the connection off, and lose what is still on its way.
   */
  endWriting(): void
  /** Sends what was written and ends the connection, at once if the server does not. */
  close(): void
}

const MAX_CLOSE_MS = 500
const MIN_VERSION = 'TLSv1.2'
/** More than there are regions whose databases one program uses. */
const MAX_CONTEXTS = 16
/** What was made of CA certificates, which takes a millisecond, and memory of its own for each. */
const contexts = new Map<string, SecureContext>()

export interface TlsOptions {
  /** The name that the certificate must be for. */
  host: string
  /** The CA certificates that may have issued it, in PEM; no others count. */
  ca: string
}

/** Makes a TLS connection of a plain one, from which nothing may be unread. Rejects with WireError if it cannot be trusted. */
export async function openSecureChannel(socket: Socket, { host, ca }: TlsOptions): Promise<SecureChannel> {
  // by itself, whatever NODE_TLS_REJECT_UNAUTHORIZED says
  const secured = await handshake({
    socket,
    servername: host,
    secureContext: trust(ca),
    rejectUnauthorized: true,
  })
  if (!secured.authorized) {
    secured.destroy()
    throw untrusted(secured.authorizationError)
  }
  const certificate = describeCertificate(secured.getPeerCertificate())
  return {
    ...createByteChannel(secured),
    stream: secured,
    certificate,
    tlsVersion: secured.getProtocol() ?? 'TLS',
    endWriting() {
      if (!secured.destroyed) secured.write('', () => socket.end())
    },
    close() {
      secured.end()
      setTimeout(() => secured.destroy(), MAX_CLOSE_MS).unref()
    },
  }
}

function trust(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca, minVersion: MIN_VERSION })
  if (contexts.size >= MAX_CONTEXTS) contexts.clear()
  contexts.set(ca, context)
  return context
}

/** Returns the certificate of a server that is not trusted, and ends the connection: nothing is sent on it. */
export async function readUntrustedCertificate(socket: Socket, host: string): Promise<ServerCertificate> {
  const secured = await handshake({ socket, servername: host, rejectUnauthorized: false })
  const certificate = secured.getPeerCertificate()
  secured.destroy()
  return describeCertificate(certificate)
}

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connect({ ...options, minVersion: MIN_VERSION })
    const fail = (cause: Error) => {
      secured.destroy()
      reject(handshakeError(cause))
    }
    secured.once('error', fail)
    secured.once('close', () => fail(new Error('closed')))
    secured.once('secureConnect', () => {
      secured.off('error', fail)
      secured.removeAllListeners('close')
      resolve(secured)
    })
  })
}

/** https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
const VERIFICATION_CODE =
  /^(?:ERR_TLS_CERT_ALTNAME_|CERT_|CRL_|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH)/

/** What OpenSSL says of a peer that speaks another version of TLS, or none. */
const DISAGREEMENT_CODE = /^(?:ERR_SSL_|EPROTO$)/

function handshakeError(cause: Error): WireError {
  const code = systemCode(cause) ?? ''
  if (VERIFICATION_CODE.test(code)) return untrusted(cause)
  const message = 'the TLS handshake failed'
  return DISAGREEMENT_CODE.test(code)
    ? new WireError(message, { failure: 'handshake', code, cause })
    : connectionError(message, cause)
}

function untrusted(cause: unknown): WireError {
  const code = systemCode(cause) ?? (typeof cause === 'string' ? cause : undefined)
  return new WireError('the server’s certificate does not verify', { failure: 'untrusted', code, cause })
}

function describeCertificate({
  subjectaltname,
  subject,
  issuer,
  valid_to,
}: PeerCertificate): ServerCertificate {
  const names = subjectaltname?.split(/,\s*/) ?? [subject?.CN].flat().flatMap(name => name ?? [])
  const [issuerName] = [issuer?.CN ?? issuer?.O].flat()
  return { names, issuer: issuerName ?? 'nobody', expiresAt: Date.parse(valid_to) }
}
