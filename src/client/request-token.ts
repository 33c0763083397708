import { isJsonObject } from '../lib/json.ts'
import type { GetCredential } from './credential.ts'
import { CallerError, type CallerExitCode, failure, fitForTerminal } from './errors.ts'
import { type Network, type ParsedReply, parseSecureUrl, sendRequest } from './http.ts'
import { isTokenReply, type TokenReply } from './token-reply.ts'

/** The body of `POST /v1/tokens` (docs/http.md). */
export interface TokenRequestBody {
  database: string
  user?: string | undefined
  caPem?: boolean | undefined
  /** The fingerprint of a token that the database rejected. */
  refused?: string | undefined
}

export interface TokenRequestOptions extends Network {
  /** The URL of the server, with or without a path before `/v1`. */
  url: string
  credential: GetCredential
  /** How long to retry while the server says to come back later; with 0 there is one attempt. */
  waitMs: number
}

/** The shortest pause between two attempts, and the one if the server names no time. */
const MIN_RETRY_MS = 1000

/**
 * Requests a token from a jeton server. After 429 and 503 it retries when `Retry-After` says, if that is within `waitMs`,
 * with the credential read again. Throws CallerError, whose message shows what the server said without control characters
 * and without the credential. Does not check the token itself.
 */
export async function requestToken(
  body: TokenRequestBody,
  options: TokenRequestOptions,
): Promise<TokenReply> {
  const { url, clock, waitMs } = options
  const target = parseSecureUrl(url, 'the server URL (--url or JETON_URL)')
  target.pathname = `${target.pathname.replace(/\/+$/, '')}/v1/tokens`
  target.search = ''
  target.hash = ''
  const giveUpAt = clock.now() + waitMs
  for (;;) {
    try {
      return await requestOnce({ url: target, body }, options)
    } catch (cause) {
      if (!(cause instanceof CallerError) || cause.retryAfterMs === undefined) throw cause
      const retryAt = clock.now() + cause.retryAfterMs
      if (retryAt > giveUpAt) throw cause
      await clock.sleep(cause.retryAfterMs)
    }
  }
}

async function requestOnce(
  { url, body }: { url: URL; body: TokenRequestBody },
  { credential, send, clock }: TokenRequestOptions,
): Promise<TokenReply> {
  const authorization = await credential()
  const headers = {
    authorization,
    accept: 'application/json, application/problem+json',
    'content-type': 'application/json',
    'user-agent': 'jeton-cli',
  }
  const request = { url, method: 'POST', headers, body: JSON.stringify(body) }
  const reply = await sendRequest(request, { send, clock })
  if (reply.status !== 200) throw refusalOf(reply, { host: url.host, authorization, now: clock.now() })
  if (!isTokenReply(reply.body))
    throw failure(
      `${url.host} answered 200, but the answer is not a token: is this the URL of a jeton server?`,
    )
  if (body.caPem && reply.body.ca?.pem === undefined)
    throw failure(`${url.host} answered without a CA bundle`)
  return reply.body
}

interface RefusalContext {
  host: string
  authorization: string
  now: number
}

/** RFC 9457. A proxy on the way may answer in its own format, so every member may be missing. */
function refusalOf(
  { status, headers, body }: ParsedReply,
  { host, authorization, now }: RefusalContext,
): CallerError {
  const secret = authorization.slice(authorization.indexOf(' ') + 1)
  const member = (name: string) => {
    const value = isJsonObject(body) && Object.hasOwn(body, name) ? body[name] : undefined
    return typeof value === 'string' && value !== ''
      ? fitForTerminal(value.replaceAll(secret, '[credential]'))
      : undefined
  }
  const code = member('code')
  const isTemporary = status === 429 || status === 503
  return new CallerError(member('detail') ?? member('title') ?? `${host} answered ${status}`, {
    exitCode: exitCodeOf(status, code),
    code,
    requestId: member('requestId'),
    retryAfterMs: isTemporary ? retryAfterMs(headers['retry-after'], now) : undefined,
  })
}

function exitCodeOf(status: number, code: string | undefined): CallerExitCode {
  if (status === 429 || status === 503) return 4
  if (status === 400) return code === 'invalid_request' ? 2 : 3
  return status === 401 || status === 403 || status === 404 ? 3 : 1
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | undefined, now: number): number {
  const text = header ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(ms, MIN_RETRY_MS) : MIN_RETRY_MS
}
