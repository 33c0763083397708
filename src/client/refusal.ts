import { isJsonObject, type JsonObject } from '../lib/json.ts'
import { CallerError, type CallerExitCode, fitForTerminal, type RefusedPrincipal } from './errors.ts'
import { foreignAnswer } from './foreign-answer.ts'
import type { ParsedReply } from './http.ts'
import { isTemporaryStatus, retryAfterMs } from './retry-after.ts'

export interface RefusalContext {
  url: URL
  /** The credential that the request showed: it never comes back in the error. */
  authorization: string
  /** Which credential that is, in words. */
  identity?: string | undefined
  now: number
}

/**
 * Returns the error for a reply that is not 200: a problem of jeton's (RFC 9457), or what stands in front of it answers in its own
 * format. What the reply says is cut, and without control characters and the credential.
 */
export function refusalOf(
  reply: ParsedReply,
  { url, authorization, identity, now }: RefusalContext,
): CallerError {
  const { status, body } = reply
  const read = memberReader(body, authorization)
  const code = read('code')
  const isTemporary = isTemporaryStatus(status) && code !== 'role_refused'
  const said = read('detail') ?? read('title')
  return new CallerError(said === undefined ? foreignAnswer(reply, url) : `${said}${pathNote(code, url)}`, {
    exitCode: exitCodeOf(status, { code, isTemporary }),
    code,
    requestId: read('requestId'),
    auditId: read('auditId'),
    principal: principalOf(body, authorization),
    identity: status === 401 || status === 403 ? identity : undefined,
    isTemporary,
    retryAfterMs: isTemporary ? retryAfterMs(reply, now) : undefined,
  })
}

/** jeton has all its paths, so a path of its URL is one too many, or one that what stands in front of it leaves in. */
function pathNote(code: string | undefined, { pathname }: URL): string {
  const [, base] = /^(\/.+?)\/v1\/[^/]+$/.exec(pathname) ?? []
  return code === 'not_found' && base !== undefined ? `: is the path ${base} in the server's URL right?` : ''
}

function principalOf(body: unknown, authorization: string): RefusedPrincipal | undefined {
  const read = memberReader(isJsonObject(body) ? body.principal : undefined, authorization)
  const [issuer, subject] = [read('issuer'), read('subject')]
  return issuer === undefined || subject === undefined ? undefined : { issuer, subject }
}

/** Returns a function that reads members that are texts, fit for a terminal; undefined for all others. */
function memberReader(body: unknown, authorization: string): (name: string) => string | undefined {
  const secret = authorization.slice(authorization.indexOf(' ') + 1)
  const members: JsonObject = isJsonObject(body) ? body : {}
  return name => {
    const value = Object.hasOwn(members, name) ? members[name] : undefined
    return typeof value === 'string' && value !== ''
      ? fitForTerminal(value.replaceAll(secret, '[credential]'))
      : undefined
  }
}

function exitCodeOf(
  status: number,
  { code, isTemporary }: { code: string | undefined; isTemporary: boolean },
): CallerExitCode {
  if (isTemporary) return 4
  if (status === 400) return code === 'invalid_request' ? 2 : 3
  return status === 401 || status === 403 || status === 404 ? 3 : 1
}
