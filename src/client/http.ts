import { readBounded } from '../lib/bounded-body.ts'
import type { Clock } from '../lib/clock.ts'
import { failed, systemCode } from './errors.ts'

export type Fetch = typeof globalThis.fetch

/** What the client reaches the network with. */
export interface Network {
  fetch: Fetch
  clock: Clock
}

export interface HttpAnswer {
  status: number
  headers: Headers
  /** The parsed JSON, or undefined where the body is none. */
  body: unknown
}

const TIMEOUT_MS = 15_000
/** The global CA bundle is some 160 KiB as JSON. */
const LIMIT_BYTES = 1024 * 1024

/**
 * One request and its whole answer, whatever its status; nothing is tried twice. Throws a failure (exit code 1) that names
 * the host and never what was sent or answered: where it cannot be reached, answers with a redirect (the credential would
 * go to whom it names), with over 1 MiB, or not within 15 s.
 */
export async function sendRequest(
  url: URL,
  init: RequestInit,
  { fetch, clock }: Network,
): Promise<HttpAnswer> {
  const done = new AbortController()
  const timeout = clock.sleepUntil(clock.now() + TIMEOUT_MS, done.signal).then(() => {
    throw failed(`${url.host} has not answered within ${TIMEOUT_MS / 1000} s`)
  })
  try {
    return await Promise.race([
      answerOf(url, { ...init, redirect: 'manual', signal: done.signal }, fetch),
      timeout,
    ])
  } finally {
    done.abort()
  }
}

async function answerOf(url: URL, init: RequestInit, fetch: Fetch): Promise<HttpAnswer> {
  const response = await fetch(url, init).catch(cause => {
    throw failed(`${url.host} cannot be reached${systemCode(cause)}`, cause)
  })
  const { status, headers } = response
  if (status >= 300 && status < 400)
    throw failed(`${url.host} answers with a redirect, which is not followed: give the URL it leads to`)
  const refusal = (what: string, cause?: unknown) =>
    failed(`${url.host} ${what}${cause === undefined ? '' : systemCode(cause)}`, cause)
  const body = await readBounded(response, { limitBytes: LIMIT_BYTES, refusal })
  return { status, headers, body: parsed(body) }
}

/** A syntax error of `JSON.parse` quotes what it could not read, so nothing of it is passed on. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
