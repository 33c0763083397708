import { readBounded } from '../lib/bounded-body.ts'
import type { Clock } from '../lib/clock.ts'
import { withTimeout } from '../lib/deadline.ts'
import type { Fetch } from '../lib/fetch-json.ts'
import { parseJson } from '../lib/json.ts'
import { isSecureUrl } from '../lib/loopback.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { failure, invalidUsage } from './errors.ts'

/** The client's access to the network. */
export interface Network {
  fetch: Fetch
  clock: Clock
}

/** A request as `fetch` takes it. */
export interface HttpRequest extends Pick<RequestInit, 'method' | 'headers' | 'body'> {
  url: URL
}

export interface JsonReply {
  status: number
  headers: Headers
  /** The parsed JSON, or undefined if the body is not JSON. */
  body: unknown
}

const TIMEOUT_MS = 15_000
/** The global CA bundle is about 160 KiB as JSON. */
const MAX_BYTES = 1024 * 1024

/**
 * Sends one request without retrying, and returns the whole reply, whatever its status. Throws CallerError (exit code 1) if
 * the host cannot be reached, redirects (which would send the credential elsewhere), sends more than 1 MiB, or takes longer
 * than 15 s. The message names the host and quotes neither request nor reply.
 */
export function sendRequest(request: HttpRequest, { fetch, clock }: Network): Promise<JsonReply> {
  return withTimeout(signal => exchange(request, { fetch, signal }), {
    clock,
    timeoutMs: TIMEOUT_MS,
    timedOut: () => failure(`${request.url.host} has not answered within ${TIMEOUT_MS / 1000} s`),
  })
}

async function exchange(
  { url, ...request }: HttpRequest,
  { fetch, signal }: { fetch: Fetch; signal: AbortSignal },
): Promise<JsonReply> {
  const response = await fetch(url, { ...request, redirect: 'manual', signal }).catch(cause => {
    throw failure(`${url.host} cannot be reached${systemCodeNote(cause)}`, cause)
  })
  const { status, headers } = response
  if (status >= 300 && status < 400)
    throw failure(
      `${url.host} answered with a redirect, which is not followed: use the URL that it redirects to`,
    )
  const body = await readBounded(response, {
    maxBytes: MAX_BYTES,
    refusal: (what, cause) => failure(`${url.host} ${what}${systemCodeNote(cause)}`, cause),
  })
  return { status, headers, body: parseJson(body) }
}

/**
 * Parses a URL that a credential may be sent to: https, or http to this machine. Errors call it `name`, such as the variable
 * that it comes from. Throws CallerError (exit code 2), which never quotes the URL, because some people put passwords into it.
 */
export function parseSecureUrl(text: string, name: string): URL {
  if (!URL.canParse(text)) throw invalidUsage(`${name} is not a URL: give one like https://jeton.example.com`)
  const url = new URL(text)
  if (url.username || url.password) throw invalidUsage(`${name} contains a user or password: leave it out`)
  if (isSecureUrl(url)) return url
  throw invalidUsage(
    `${name} must begin with https:// (http:// only for this machine), or others could read the credential on its way`,
  )
}
