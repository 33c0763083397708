import { readBounded } from './bounded-body.ts'
import type { Clock } from './clock.ts'

export type Fetch = typeof globalThis.fetch

export interface GuardedFetchOptions {
  fetch: Fetch
  clock: Clock
  timeoutMs?: number
  limitBytes?: number
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/

/**
 * The JSON object at `url`, which must be https, or plain http to loopback. A redirect, any status but 200, a body over
 * `limitBytes` once decompressed (256 KiB by default; no more than that is ever held) and anything slower than
 * `timeoutMs` (5 s by default, body included) are refused.
 * Rejects with an Error that names the host and what was wrong, never the path or what was answered: it may be logged.
 * Does not look at the address that a name resolves to.
 */
export async function fetchJson(
  url: string,
  { fetch, clock, timeoutMs = 5000, limitBytes = 256 * 1024 }: GuardedFetchOptions,
): Promise<Record<string, unknown>> {
  const target = allowed(url)
  const done = new AbortController()
  const timeout = clock.sleepUntil(clock.now() + timeoutMs, done.signal).then(() => {
    throw new Error(`has not answered within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([get(target, { fetch, limitBytes, signal: done.signal }), timeout])
  } catch (cause) {
    throw new Error(`${target.host} ${cause instanceof Error ? cause.message : 'failed'}`)
  } finally {
    done.abort()
  }
}

function allowed(text: string): URL {
  if (!URL.canParse(text)) throw new Error('not a URL')
  const url = new URL(text)
  if (url.username || url.password) throw new Error(`${url.host} must be asked without a user in the URL`)
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return url
  throw new Error(`${url.host} must be asked over https (plain http is for loopback alone)`)
}

interface GetOptions {
  fetch: Fetch
  limitBytes: number
  signal: AbortSignal
}

async function get(url: URL, { fetch, limitBytes, signal }: GetOptions): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    redirect: 'manual',
    signal,
    headers: { accept: 'application/json, application/jwk-set+json' },
  }).catch(cause => {
    throw new Error(`cannot be reached${codeOf(cause)}`)
  })
  if (response.redirected || (response.status >= 300 && response.status < 400))
    throw new Error('answers with a redirect, which is not followed')
  if (response.status !== 200) throw new Error(`answered ${response.status}, not 200`)
  const refusal = (what: string, cause?: unknown) =>
    new Error(`${what}${cause === undefined ? '' : codeOf(cause)}`)
  return jsonObject(await readBounded(response, { limitBytes, refusal }))
}

function jsonObject(bytes: Uint8Array): Record<string, unknown> {
  const value = parsed(bytes)
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new Error('answered with something that is no JSON object')
  return value as Record<string, unknown>
}

/** A syntax error of `JSON.parse` quotes what it could not read, so nothing of it is passed on. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

/** Only the system's code (`ECONNREFUSED`): messages of fetch may hold the whole URL. */
function codeOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? ` (${inner.code})` : ''
}
