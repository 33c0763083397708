import { isoSeconds } from '../lib/iso-time.ts'
import { isLoopback } from '../lib/loopback.ts'
import { proxyOf } from '../lib/proxy-failure.ts'
import { systemCode, systemCodeNote } from '../lib/system-error.ts'
import { certificateProblem } from './certificate-problem.ts'
import { type CallerError, failure, fitForTerminal, temporaryFailure } from './errors.ts'

/** The code of an error for plain HTTP to a port where TLS is spoken. */
export const TLS_EXPECTED = 'TLS_EXPECTED'

/** Why no connection through a proxy came about; `cause` has the system's code. Its proxy is that of `proxyOf`. */
export class NoTunnel extends Error {
  override readonly name = 'NoTunnel'
}

/** Returns an error with a code such as those of the system. */
export function codedError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

export interface FailedRequest {
  url: URL
  /** The Unix socket that it was sent to, instead of the URL's host. */
  socketPath?: string | undefined
  /** Milliseconds since the epoch. */
  now: number
}

/** What to do about a code, and whether it may pass by itself. */
type Remedy = readonly [text: string, isTemporary: boolean]

const UNREACHABLE: Remedy = [
  'is there a way to it from here, and does no firewall or security group close it?',
  true,
]
const HUNG_UP: Remedy = ['it hung up', true]

const REMEDIES: Readonly<Record<string, Remedy>> = {
  ECONNREFUSED: ['nothing listens there: does the server run, and is the port right?', true],
  ECONNRESET: HUNG_UP,
  ECONNABORTED: HUNG_UP,
  EPIPE: HUNG_UP,
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EACCES: ['this user may not connect to it', false],
  EPERM: ['this user may not connect to it', false],
  EAI_AGAIN: ['DNS does not answer at the moment', true],
  ENOTFOUND: ['DNS does not know this name: is it spelled right, and known in this network?', false],
}

const PROXY_REMEDIES: Readonly<Record<string, Remedy>> = {
  ...REMEDIES,
  ECONNREFUSED: ['nothing listens there: is HTTPS_PROXY right?', true],
  ETIMEDOUT: ['the proxy does not answer: does it run, and is HTTPS_PROXY right?', true],
  ENOTFOUND: ['DNS does not know the name of the proxy: is HTTPS_PROXY right?', false],
  EPROTO: ['the proxy speaks no TLS: should HTTPS_PROXY begin with http://?', false],
  PROXY_ANSWERED_407: [
    'the proxy asks for a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT',
    false,
  ],
  PROXY_ANSWERED_429: ['the proxy has too much to do', true],
  PROXY_ANSWERED_502: ['the proxy cannot reach it', true],
  PROXY_ANSWERED_503: ['the proxy cannot reach it', true],
  PROXY_ANSWERED_504: ['the proxy cannot reach it', true],
}

/**
 * Returns the error for a request that got no answer: what happened, and what to do about it. It names the host and the proxy,
 * and quotes nothing else of the request. What may pass by itself is temporary.
 */
export function networkFailure(cause: unknown, { url, socketPath, now }: FailedRequest): CallerError {
  const certificate = certificateProblem(cause, { host: hostOf(cause, url), now: isoSeconds(now) })
  if (certificate !== undefined) return failure(certificate, cause)
  const [text, isTemporary] = remedyFor(cause, url) ?? ['', false]
  const message = `${socketPath ?? url.host} cannot be reached${systemCodeNote(cause)}${text === '' ? '' : `: ${text}`}`
  return isTemporary ? temporaryFailure(message, cause) : failure(message, cause)
}

/** Whose certificate it is: that of a proxy that is spoken to over TLS, or that of the host. */
function hostOf(cause: unknown, url: URL): string {
  const proxy = proxyOf(cause)
  if (proxy === undefined) return url.host
  return cause instanceof NoTunnel ? `the proxy ${proxy}` : `${url.host}, through the proxy ${proxy},`
}

function remedyFor(cause: unknown, url: URL): Remedy | undefined {
  const code = systemCode(cause) ?? ''
  if (cause instanceof NoTunnel) return proxyRemedy(code, url)
  if (code === 'HPE_HEADER_OVERFLOW') return ['the headers of its answer are too long', false]
  if (code.startsWith('HPE_')) return ['it does not speak HTTP there: is the port right?', false]
  if (code === TLS_EXPECTED) return [`it speaks TLS there, so write https://${url.host}`, false]
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return tlsRemedy(cause, url)
  return REMEDIES[code]
}

function proxyRemedy(code: string, { hostname }: URL): Remedy | undefined {
  if (code.startsWith('HPE_')) return ['it is not an HTTP proxy: is HTTPS_PROXY right?', false]
  if (/^PROXY_ANSWERED_4/.test(code) && !Object.hasOwn(PROXY_REMEDIES, code))
    return [
      `the proxy does not allow this host: have it allowed, or name ${hostname} in NO_PROXY if it can be reached without the proxy`,
      false,
    ]
  return PROXY_REMEDIES[code.startsWith('ERR_SSL_') ? 'EPROTO' : code]
}

/** OpenSSL's words for an answer that is not TLS; Node gives all its errors one code. */
const NO_TLS = /wrong version number|packet length too long|unknown protocol|http request/i

function tlsRemedy(cause: unknown, { hostname, host }: URL): Remedy {
  const text = cause instanceof Error ? cause.message : ''
  if (!NO_TLS.test(text)) {
    const [, reason = ''] = /SSL routines:[^:]*:([^:]*)/.exec(text) ?? []
    return [`TLS failed${reason === '' ? '' : `: ${fitForTerminal(reason)}`}`, false]
  }
  return isLoopback(hostname)
    ? [`it speaks no TLS there, so write http://${host}`, false]
    : ['it speaks no TLS there: give the port on which it does (http:// is for this machine only)', false]
}
