import { readBounded } from './bounded-body.ts'
import type { Clock } from './clock.ts'
import { withTimeout } from './deadline.ts'
import { type JsonObject, parseJsonObject } from './json.ts'
import { isSecureUrl } from './loopback.ts'
import { messageOf, systemCodeNote } from './system-error.ts'

export type Fetch = typeof globalThis.fetch

export interface FetchJsonOptions {
  fetch: Fetch
  clock: Clock
  /** The longest that the whole exchange may take, the body included; 5 s unless given. */
  timeoutMs?: number
  /** The longest body that is accepted, once it is unpacked; 256 KiB unless given. */
  maxBytes?: number
}

/**
 * Returns the JSON object at `url`, which must be https, or plain http to loopback. Redirects, any status but 200, a body
 * over the limit and a reply after the timeout are errors. Does not check which address a host name resolves to.
 * Rejects with an Error that names the host and what was wrong, but neither the path nor the reply, so it may be logged.
 */
export async function fetchJson(
  url: string,
  { fetch, clock, timeoutMs = 5000, maxBytes = 256 * 1024 }: FetchJsonOptions,
): Promise<JsonObject> {
  const target = checkUrl(url)
  const timedOut = () => new Error(`has not answered within ${timeoutMs} ms`)
  try {
    const request = (signal: AbortSignal) => get(target, { fetch, maxBytes, signal })
    return await withTimeout(request, { clock, timeoutMs, timedOut })
  } catch (cause) {
    throw new Error(`${target.host} ${messageOf(cause, 'failed')}`)
  }
}

function checkUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('not a URL')
  const url = new URL(text)
  if (url.username || url.password) throw new Error(`the URL for ${url.host} must not contain a user`)
  if (isSecureUrl(url)) return url
  throw new Error(`the URL for ${url.host} must be https; plain http is accepted for loopback alone`)
}

interface GetOptions {
  fetch: Fetch
  maxBytes: number
  signal: AbortSignal
}

async function get(url: URL, { fetch, maxBytes, signal }: GetOptions): Promise<JsonObject> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal,
    headers: { accept: 'application/json, application/jwk-set+json' },
  }).catch(cause => {
    throw new Error(`cannot be reached${systemCodeNote(cause)}`)
  })
  if (response.redirected || (response.status >= 300 && response.status < 400))
    throw new Error('answered with a redirect, which is not followed')
  if (response.status !== 200) throw new Error(`answered ${response.status}, not 200`)
  const refusal = (what: string, cause?: unknown) => new Error(`${what}${systemCodeNote(cause)}`)
  const object = parseJsonObject(await readBounded(response, { maxBytes, refusal }))
  if (!object) throw new Error('answered with something that is not a JSON object')
  return object
}
