import manifest from '../../package.json' with { type: 'json' }
import { parseJson } from '../lib/json.ts'
import type { Network, ParsedReply } from './http.ts'
import { sendRequest } from './http.ts'
import { refusalOf } from './refusal.ts'
import { type RetryOptions, retryWhileTemporary } from './retry.ts'
import { parseServerUrl } from './server-url.ts'

/** A jeton server, and how it is spoken to. */
export interface JetonServer extends Network, Partial<Pick<RetryOptions, 'random' | 'signal' | 'onWait'>> {
  /** The URL of the server, with or without a path before `/v1`. */
  url: string
  /** What errors call the URL, such as the variable that it comes from. */
  urlName?: string | undefined
  /** Returns the value of the `Authorization` header, a secret; called again for each attempt. */
  credential: () => Promise<string>
  /** Which credential that is, in words, for refusals. */
  identity?: string | undefined
  /** How long to keep trying what may pass; with 0 there is one attempt. */
  waitMs: number
  /** Whose requests these are, for the server's records; default `jeton-client`. */
  program?: string | undefined
}

export interface JetonRequest {
  /** Default: GET. */
  method?: 'GET' | 'POST'
  /** Below the server's URL, such as `/v1/whoami`. */
  path: `/${string}`
  /** Sent as JSON. */
  body?: object
}

/** A reply with status 200, and the host that sent it, for errors. */
export interface JetonReply extends ParsedReply {
  host: string
}

/**
 * Sends a request with the caller's credential to a jeton server, and returns its reply, whose body is not checked. What may
 * pass (no connection, no answer, 429, 502, 503, 504, and what `credential` throws as temporary) is tried again for `waitMs`.
 * Throws CallerError for everything but 200, without the credential in it; and the signal's reason.
 */
export async function requestJeton(request: JetonRequest, server: JetonServer): Promise<JetonReply> {
  const { waitMs, clock, random = Math.random, signal, onWait } = server
  const url = parseServerUrl(server.url, { name: server.urlName, path: request.path })
  return retryWhileTemporary(() => requestOnce({ ...request, url }, server), {
    waitMs,
    clock,
    random,
    signal,
    onWait,
  })
}

async function requestOnce(
  { url, method, body }: JetonRequest & { url: URL },
  { credential, identity, program = 'jeton-client', send, clock, signal }: JetonServer,
): Promise<JetonReply> {
  const authorization = await credential()
  const headers = {
    authorization,
    accept: 'application/json, application/problem+json',
    'user-agent': `${program}/${manifest.version}`,
    ...(body && { 'content-type': 'application/json' }),
  }
  const request = { url, headers, ...(method && { method }), ...(body && { body: JSON.stringify(body) }) }
  const sent = await sendRequest(request, { send, clock }, { ...(signal && { signal }) })
  const reply = withoutCredential(sent, authorization)
  if (reply.status === 200) return { ...reply, host: url.host }
  throw refusalOf(reply, { url, authorization, identity, now: clock.now() })
}

/** Nothing of a reply has the credential in it, which a server could send back, and which commands would print. */
function withoutCredential(reply: ParsedReply, authorization: string): ParsedReply {
  const secret = authorization.slice(authorization.indexOf(' ') + 1)
  const headers = Object.entries(reply.headers).map(([name, value]) => [
    name,
    value?.replaceAll(secret, '[credential]'),
  ])
  const text = reply.text.replaceAll(secret, '[credential]')
  const body = text === reply.text ? reply.body : parseJson(text)
  return { ...reply, headers: Object.fromEntries(headers), text, body }
}
