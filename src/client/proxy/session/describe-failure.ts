import { TokenError } from '../../library/token-error.ts'
import type { VendedToken } from '../../library/types.ts'
import { findKnownRefusal } from '../../login-probe/find-refusal.ts'
import { WireError } from '../../wire/wire-error.ts'
import { SessionError, type SessionFailure } from '../session-error.ts'

export interface FailureContext {
  /** As jeton calls it. */
  database: string
  /** The last token that there was, for where the database is; undefined before the first. */
  token?: VendedToken | undefined
}

const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'

/**
 * Returns why a client gets no session, in a sentence for whoever reads its error: what failed, and who can help. A bug of
 * jeton's, which anything else than the errors of tokens, wires and sessions is, shows nothing of itself.
 */
export function describeFailure(cause: unknown, context: FailureContext): SessionError {
  if (cause instanceof SessionError)
    return cause.failure === 'database' ? cause : sessionError(cause.message, cause)
  if (cause instanceof TokenError) return describeTokenError(cause)
  if (cause instanceof WireError) return describeWireError(cause, context)
  return sessionError('a bug; its log has the line proxy_failed', { failure: 'unavailable', cause })
}

function describeTokenError(cause: TokenError): SessionError {
  const { message, code, auditId, requestId, isTemporary, retryAfterMs } = cause
  const ids = [code, auditId && `audit id ${auditId}`, auditId ? '' : requestId && `request id ${requestId}`]
  const note = ids.filter(Boolean).join(', ')
  const said = note === '' ? message : `${message} (${note})`
  if (!isTemporary)
    return sessionError(`${said}; trying again changes nothing: ask whoever runs ${helperOf(cause)}`, {
      failure: 'refused',
      cause,
    })
  const when = retryAfterMs === undefined ? 'in a moment' : `in ${Math.ceil(retryAfterMs / 1000)} s`
  return sessionError(`${said}; try again ${when}`, { failure: 'unavailable', retryAfterMs, cause })
}

/** A credential that does not count is mended where the proxy runs; what may be had with it, where jeton runs. */
function helperOf({ code }: TokenError): string {
  return code === undefined || code === 'unauthenticated' ? 'this proxy' : 'jeton'
}

function describeWireError(cause: WireError, context: FailureContext): SessionError {
  const { failure, code, message, reply } = cause
  const place = placeOf(context)
  const say = (sentence: string, kind: SessionFailure) => sessionError(sentence, { failure: kind, cause })
  switch (failure) {
    case 'refused':
      return new SessionError(message, { failure: 'database', reply, cause })
    case 'token_not_wanted':
      return say(`${message}${remedyOf(cause, context)}`, 'refused')
    case 'no_tls':
      return say(`${place} refuses TLS, and no token is sent without it: is that the database?`, 'refused')
    case 'handshake':
      return say(`no TLS with ${place}${codeNote(code)}: ${message}`, 'unavailable')
    case 'untrusted':
      // by a CA of ours, and for somebody else
      if (code === WRONG_NAME && context.token)
        return say(
          `the certificate of ${place} is not for ${context.token.host}${codeNote(code)}, so no token was sent: does that address lead to another server?`,
          'refused',
        )
      return say(
        `the certificate of ${place} does not verify${codeNote(code)}, so no token was sent: the CA certificates are those of jeton’s reply, unless --ca names others`,
        'refused',
      )
    case 'protocol':
      return say(`${message}: ${place} is no database of this kind, or something in between`, 'refused')
    case 'connection':
      if (code === 'EMFILE')
        return say(
          'the proxy has as many files open as it may (EMFILE): its limit, that of `ulimit -Hn`, has to be more than twice --max-connections',
          'unavailable',
        )
      return say(
        `no session with ${place}: ${message}${codeNote(code)}; try again in a moment`,
        'unavailable',
      )
    case 'timeout':
      return say(`no session with ${place}: ${message}; try again in a moment`, 'unavailable')
  }
}

function remedyOf(cause: WireError, { token }: FailureContext): string {
  const known = findKnownRefusal(cause, token?.engine === 'postgres' ? 'postgres' : 'mysql')
  return known === undefined ? '' : `: ${known.means}; ${known.remedies[0]}`
}

function placeOf({ database, token }: FailureContext): string {
  if (token === undefined) return database
  const { connect, host, port } = token
  return connect ?? `${host}:${port}`
}

function codeNote(code: string | undefined): string {
  return code === undefined ? '' : ` (${code})`
}

function sessionError(
  sentence: string,
  options: ConstructorParameters<typeof SessionError>[1],
): SessionError {
  const isNamed = sentence.startsWith('jeton proxy')
  return new SessionError(isNamed ? sentence : `jeton proxy: ${sentence}`, options)
}
