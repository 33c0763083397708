import { escapeUnprintable } from '../../../lib/printable.ts'
import { systemCodeNote } from '../../../lib/system-error.ts'
import { CallerError } from '../../errors.ts'
import { TokenError } from '../../library/token-error.ts'
import type { Question } from '../../library/token-source.ts'
import type { TokenReply } from '../../token-reply.ts'
import type { ProxyParts } from '../proxy.ts'

export interface AskParts extends Pick<ProxyParts, 'requestToken'> {
  database: string
  user?: string | undefined
  onReply(reply: TokenReply): void
  onFailure(error: TokenError): unknown
}

/**
 * Returns a function that asks jeton for tokens of one database user. It rejects with TokenError, which holds no secret, and
 * whose cause is the error of `requestToken`.
 */
export function createAskJeton(parts: AskParts): (question: Question) => Promise<TokenReply> {
  const { database, user, requestToken } = parts
  return async ({ refused, waitMs }) => {
    try {
      const reply = await requestToken({ database, user, caPem: true, refused }, { waitMs })
      parts.onReply(reply)
      return reply
    } catch (cause) {
      const error = tokenErrorOf(cause, database)
      parts.onFailure(error)
      throw error
    }
  }
}

function tokenErrorOf(cause: unknown, database: string): TokenError {
  const text = (why: string) => escapeUnprintable(`no token for ${database}: ${why}`)
  if (!(cause instanceof CallerError))
    return new TokenError(text(`asking jeton failed unexpectedly${systemCodeNote(cause)}`), { cause })
  const { message, code, isTemporary, retryAfterMs, requestId, auditId } = cause
  return new TokenError(text(message), { code, isTemporary, retryAfterMs, requestId, auditId, cause })
}
