import type { GetCredential } from './credential.ts'
import { CallerError, type FailureCode, failed, fitToShow } from './errors.ts'
import { type HttpAnswer, type Network, sendRequest } from './http.ts'
import { secureUrl } from './secure-url.ts'
import { isTokenReply, type TokenReply } from './token-reply.ts'

/** The body of `POST /v1/tokens`, in the contract's own words. */
export interface TokenRequestBody {
  database: string
  user?: string | undefined
  caPem?: boolean | undefined
  /** The fingerprint of a token that the database refused. */
  refused?: string | undefined
}

export interface TokenRequestOptions extends Network {
  /** The server's, with or without a path before `/v1`. */
  url: string
  credential: GetCredential
  /** How long to go on asking while the server says to come back later; 0 asks once. */
  waitMs: number
}

/** Where the server names no time, and the least between two tries. */
const LEAST_RETRY_MS = 1000

/**
 * Asks a jeton server for a token. On 429 and 503 it comes back when `Retry-After` says (after 1 s where it says nothing),
 * as long as that is within `waitMs`, with the credential read anew. Throws CallerError with the exit code for it; what the
 * server said is shown without control characters and without the credential. Does not check the token itself.
 */
export async function requestToken(ask: TokenRequestBody, options: TokenRequestOptions): Promise<TokenReply> {
  const { url, clock, waitMs } = options
  const target = secureUrl(url, 'the server URL (--url or JETON_URL)')
  target.pathname = `${target.pathname.replace(/\/+$/, '')}/v1/tokens`
  target.search = ''
  target.hash = ''
  const giveUpAt = clock.now() + waitMs
  for (;;) {
    try {
      return await askOnce(ask, target, options)
    } catch (cause) {
      if (!(cause instanceof CallerError) || cause.retryAfterMs === undefined) throw cause
      const next = clock.now() + cause.retryAfterMs
      if (next > giveUpAt) throw cause
      await clock.sleepUntil(next)
    }
  }
}

async function askOnce(
  ask: TokenRequestBody,
  target: URL,
  { credential, fetch, clock }: TokenRequestOptions,
): Promise<TokenReply> {
  const authorization = await credential()
  const headers = {
    authorization,
    accept: 'application/json, application/problem+json',
    'content-type': 'application/json',
    'user-agent': 'jeton-cli',
  }
  const init = { method: 'POST', headers, body: JSON.stringify(ask) }
  const answer = await sendRequest(target, init, { fetch, clock })
  if (answer.status !== 200) throw refusal(answer, { host: target.host, authorization, now: clock.now() })
  if (!isTokenReply(answer.body)) throw failed(`${target.host} answered 200 with something that is no token`)
  if (ask.caPem && answer.body.ca?.pem === undefined)
    throw failed(`${target.host} answered without a CA bundle`)
  return answer.body
}

interface RefusalContext {
  host: string
  authorization: string
  now: number
}

/** RFC 9457. Whatever stands between us and the server may answer in its own words, so every member may be missing. */
function refusal(
  { status, headers, body }: HttpAnswer,
  { host, authorization, now }: RefusalContext,
): CallerError {
  const secret = authorization.slice(authorization.indexOf(' ') + 1)
  const said = (name: string) => {
    const value =
      body !== null && typeof body === 'object'
        ? Object.entries(body).find(([key]) => key === name)?.[1]
        : undefined
    return typeof value === 'string' && value !== ''
      ? fitToShow(value.replaceAll(secret, '[credential]'))
      : undefined
  }
  const code = said('code')
  const later = status === 429 || status === 503
  return new CallerError(said('detail') ?? said('title') ?? `${host} answered ${status}`, {
    exitCode: exitCodeOf(status, code),
    code,
    requestId: said('requestId'),
    retryAfterMs: later ? retryAfterMs(headers.get('retry-after'), now) : undefined,
  })
}

function exitCodeOf(status: number, code: string | undefined): FailureCode {
  if (status === 429 || status === 503) return 4
  if (status === 400) return code === 'invalid_request' ? 2 : 3
  return status === 401 || status === 403 || status === 404 ? 3 : 1
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | null, now: number): number {
  const text = header ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(ms, LEAST_RETRY_MS) : LEAST_RETRY_MS
}
