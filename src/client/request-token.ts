import { failure } from './errors.ts'
import { unexpectedAnswer } from './foreign-answer.ts'
import { type JetonServer, requestJeton } from './jeton-request.ts'
import { isTokenReply, type TokenReply } from './token-reply.ts'

/** The body of `POST /v1/tokens` (docs/http.md). */
export interface TokenRequestBody {
  database: string
  user?: string | undefined
  caPem?: boolean | undefined
  /** The fingerprint of a token that the database rejected. */
  refused?: string | undefined
  /** A token that is valid for less is not good enough: from 1 to 840. */
  minimumSeconds?: number | undefined
}

/**
 * Requests a token from a jeton server, and waits as `requestJeton` does. Throws CallerError, whose message shows what the
 * server said without control characters and without the credential. Does not check the token itself.
 */
export async function requestToken(body: TokenRequestBody, server: JetonServer): Promise<TokenReply> {
  const reply = await requestJeton({ method: 'POST', path: '/v1/tokens', body }, server)
  if (!isTokenReply(reply.body))
    throw failure(unexpectedAnswer(reply, { host: reply.host, wanted: 'a token' }))
  if (body.caPem && reply.body.ca?.pem === undefined)
    throw failure(`${reply.host} answered without a CA bundle`)
  return reply.body
}
