import { isJsonObject } from '../../lib/json.ts'
import { type CallerError, failure } from '../errors.ts'
import { type HttpRequest, type ParsedReply, parseSecureUrl, peerOf, sendRequest } from '../http.ts'
import { statusFailure } from '../retry-after.ts'
import type { PlatformHost } from './platform.ts'

export interface JwtRequest extends HttpRequest {
  /** The member of the JSON reply that is the JWT; without it, the whole text is. */
  member?: string
  /** What to do about a status that has a known cause, by the status. */
  cures?: Readonly<Record<number, string>>
}

/** Returns the JWT that an endpoint of a platform answers with. Throws CallerError, which quotes neither request nor reply. */
export async function requestJwt(
  { member, cures = {}, ...request }: JwtRequest,
  host: PlatformHost,
): Promise<string> {
  const reply = await sendRequest(request, host)
  const name = peerOf(request)
  if (reply.status !== 200) throw answerFailure(reply, { name, cure: cures[reply.status], host })
  const jwt = member === undefined ? reply.text : memberOf(reply, member)
  if (typeof jwt === 'string' && jwt !== '') return jwt
  throw failure(`there is none in the answer of ${name}`)
}

/** As `requestJwt`, from a metadata server: without a proxy. */
export function requestJwtDirectly(request: JwtRequest, host: PlatformHost): Promise<string> {
  return requestJwt(request, { ...host, send: host.sendDirectly })
}

/** Returns the error for a reply that is no success: the status, and what to do about it if that is known. */
export function answerFailure(
  reply: ParsedReply,
  { name, cure, host }: { name: string; cure?: string | undefined; host: PlatformHost },
): CallerError {
  const { status } = reply
  const message = `${name} answered ${status}${cure === undefined ? '' : `: ${cure}`}`
  return statusFailure(message, { reply, now: host.clock.now() })
}

/** Returns a URL that a secret is sent to, with parameters added to its query. Throws as `parseSecureUrl` does. */
export function urlWith(text: string, name: string, parameters: Readonly<Record<string, string>>): URL {
  const url = parseSecureUrl(text, name)
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value)
  return url
}

function memberOf({ body }: ParsedReply, member: string): unknown {
  return isJsonObject(body) && Object.hasOwn(body, member) ? body[member] : undefined
}
