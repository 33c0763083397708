import type { Clock } from '../lib/clock.ts'
import { withTimeout } from '../lib/deadline.ts'
import { parseJson } from '../lib/json.ts'
import { isSecureUrl } from '../lib/loopback.ts'
import { systemCodeNote } from '../lib/system-error.ts'
import { failure, invalidUsage, temporaryFailure } from './errors.ts'
import { networkFailure } from './network-failure.ts'

export interface HttpRequest {
  url: URL
  /** Default: GET. */
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** A Unix socket to send the request to, instead of the URL's host. */
  socketPath?: string
}

export interface RawReply {
  status: number
  /** By lower-case names. */
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
}

export interface SendOptions {
  signal: AbortSignal
  /** The longest body that is accepted. */
  maxBytes: number
}

/** Sends one request and returns the whole reply, whatever its status; it follows no redirect. */
export type Send = (request: HttpRequest, options: SendOptions) => Promise<RawReply>

/** The client's access to the network. */
export interface Network {
  send: Send
  clock: Clock
}

export interface ParsedReply {
  status: number
  /** By lower-case names. */
  headers: Readonly<Record<string, string | undefined>>
  text: string
  /** The parsed JSON, or undefined if the body is not JSON. */
  body: unknown
}

/** Why a reply was not read to its end. */
export class UnreadableReply extends Error {
  override readonly name = 'UnreadableReply'

  /** Whether another attempt may get all of it: it broke off because of a `cause`. */
  get isTemporary(): boolean {
    return this.cause !== undefined
  }
}

const TIMEOUT_MS = 15_000
/** The global CA bundle is about 160 KiB as JSON. */
const MAX_BYTES = 1024 * 1024

export interface SendRequestOptions {
  /** Default: 15 s. */
  timeoutMs?: number
  /** Ends the request early; `sendRequest` then rejects with its reason. */
  signal?: AbortSignal
}

/**
 * Sends one request without retrying, and returns the whole reply, whatever its status. Throws CallerError (exit code 1) if
 * the host cannot be reached, redirects (which would send the credential elsewhere), sends more than 1 MiB, or takes longer
 * than `timeoutMs` (15 s). The message names the host and quotes neither request nor reply.
 */
export function sendRequest(
  request: HttpRequest,
  { send, clock }: Network,
  { timeoutMs = TIMEOUT_MS, signal: caller }: SendRequestOptions = {},
): Promise<ParsedReply> {
  return withTimeout(
    async done => {
      const signal = caller ? AbortSignal.any([caller, done]) : done
      try {
        return await exchange(request, { send, clock, signal })
      } catch (cause) {
        caller?.throwIfAborted()
        throw cause
      }
    },
    {
      clock,
      timeoutMs,
      timedOut: () => temporaryFailure(`${peerOf(request)} has not answered within ${timeoutMs / 1000} s`),
    },
  )
}

/** Returns what answers a request, for errors. */
export function peerOf({ url, socketPath }: Pick<HttpRequest, 'url' | 'socketPath'>): string {
  return socketPath ?? url.host
}

async function exchange(
  request: HttpRequest,
  { send, clock, signal }: Network & { signal: AbortSignal },
): Promise<ParsedReply> {
  const { url, socketPath } = request
  const { status, headers, body } = await send(request, { signal, maxBytes: MAX_BYTES }).catch(cause => {
    if (!(cause instanceof UnreadableReply))
      throw networkFailure(cause, { url, socketPath, now: clock.now() })
    const fail = cause.isTemporary ? temporaryFailure : failure
    throw fail(`${peerOf(request)} ${cause.message}${systemCodeNote(cause)}`, cause)
  })
  if (status >= 300 && status < 400) throw failure(redirectProblem(url, headers.location))
  const text = new TextDecoder().decode(body)
  return { status, headers, text, body: parseJson(text) }
}

/** Of where a redirect leads only the origin is shown: the rest may hold secrets. */
function redirectProblem(url: URL, location = ''): string {
  const target = URL.canParse(location, url.href) ? new URL(location, url) : url
  const is = `${url.host} answered with a redirect`
  if (target.origin === url.origin) return `${is}, which is not followed: use the URL that it redirects to`
  if (target.hostname === url.hostname)
    return `${is} to ${target.origin}, which is not followed: use that URL`
  return `${is} to ${target.origin}, which is not followed: a log-in page or a portal is in the way, or the server has moved there`
}

/**
 * Parses a URL that a credential may be sent to: https, or http to this machine. Errors call it `name`, such as the variable
 * that it comes from. Throws CallerError (exit code 2), which never quotes the URL, because some people put passwords into it.
 */
export function parseSecureUrl(text: string, name: string): URL {
  if (!URL.canParse(text)) throw invalidUsage(`${name} is not a URL: ${urlFault(text.trim())}`)
  const url = new URL(text)
  if (url.username || url.password) throw invalidUsage(`${name} contains a user or password: leave it out`)
  if (isSecureUrl(url)) return url
  throw invalidUsage(
    `${name} must begin with https:// (http:// only for this machine), or others could read the credential on its way`,
  )
}

/** Returns what most likely is wrong with a text that is no URL. Quotes nothing of it. */
function urlFault(text: string): string {
  if (/["'`]/.test(text)) return 'it has quotation marks in it, which do not belong to it'
  if (/\s/.test(text)) return 'there is white space in it'
  if (/^\$|\$\{|\{\{/.test(text)) return 'a variable in it has not been replaced by its value'
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(text))
    return 'it has to begin with https://, as https://jeton.example.com does'
  if (/:[^:/\]]*(?:[/?#].*)?$/.test(text.replace(/^[^/]*\/\//, '')))
    return 'its port has to be a number, 65535 at most'
  return 'give one like https://jeton.example.com'
}
