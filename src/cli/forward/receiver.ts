import { CallerError, temporaryFailure } from '../../client/errors.ts'
import { retryAfterMs } from '../../client/retry-after.ts'
import { readBounded } from '../../lib/bounded-body.ts'
import type { Clock } from '../../lib/clock.ts'
import { waitAtMost, withTimeout } from '../../lib/deadline.ts'
import type { Fetch } from '../../lib/fetch-json.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import type { ReadHeaders } from './request-headers.ts'

/** What became of a request: `problem` is a sentence's end, without anything of the request or the answer. */
export type SendOutcome =
  | { readonly kind: 'accepted' }
  /** It may be accepted later. */
  | { readonly kind: 'later'; readonly problem: string; readonly retryAfterMs?: number | undefined }
  /** Never: because of what is in it, or whatever is in it. */
  | {
      readonly kind: 'refused'
      readonly problem: string
      readonly isOfRecords: boolean
      readonly isTooLarge: boolean
    }

export interface RequestBody {
  readonly contentType: string
  readonly text: string
}

/** Where records are forwarded to. Never rejects. */
export interface Receiver {
  send(body: RequestBody, signal: AbortSignal): Promise<SendOutcome>
}

export interface ReceiverOptions {
  url: URL
  readHeaders: ReadHeaders
  fetch: Fetch
  clock: Clock
  /** For the whole exchange. */
  timeoutMs: number
}

const MAX_ANSWER_BYTES = 64 * 1024
const MAX_ANSWER_MS = 1000

/** Statuses that may pass by themselves, besides all from 500 on. */
const TEMPORARY = [408, 425, 429]
const TOO_LARGE = 413
/** What a receiver says of a body, rather than of the request. */
const OF_RECORDS = [400, TOO_LARGE, 422]

/** Returns a receiver that gets each body by a POST of its own. Redirects are not followed: the credential would go along. */
export function createReceiver({ url, readHeaders, fetch, clock, timeoutMs }: ReceiverOptions): Receiver {
  async function post({ contentType, text }: RequestBody, signal: AbortSignal): Promise<SendOutcome> {
    const headers = await readHeaders()
    if (!headers.has('content-type')) headers.set('content-type', contentType)
    const request = { method: 'POST', headers, body: text, redirect: 'manual', signal } as const
    const response = await fetch(url, request)
    // its status is the answer; the connection is free for the next request once the body is read
    const refusal = (what: string) => new Error(what)
    const read = readBounded(response, { maxBytes: MAX_ANSWER_BYTES, refusal }).catch(() => {})
    await waitAtMost(read, { clock, maxMs: MAX_ANSWER_MS })
    return outcomeOf(response, clock.now())
  }

  return {
    async send(body, signal) {
      const timedOut = () => temporaryFailure(`has not answered within ${timeoutMs / 1000} s`)
      try {
        const work = (timeout: AbortSignal) => post(body, AbortSignal.any([timeout, signal]))
        return await withTimeout(work, { clock, timeoutMs, timedOut })
      } catch (cause) {
        return failed(cause)
      }
    },
  }
}

function failed(cause: unknown): SendOutcome {
  if (!(cause instanceof CallerError))
    return { kind: 'later', problem: `cannot be reached${systemCodeNote(cause)}` }
  const { message: problem, isTemporary } = cause
  return isTemporary
    ? { kind: 'later', problem }
    : { kind: 'refused', problem, isOfRecords: false, isTooLarge: false }
}

function outcomeOf({ status, ok, headers }: Response, now: number): SendOutcome {
  if (ok) return { kind: 'accepted' }
  const problem = `answered ${status}`
  if (status >= 500 || TEMPORARY.includes(status)) {
    const after = headers.get('retry-after')
    const asked = after === null ? {} : { 'retry-after': after }
    return { kind: 'later', problem, retryAfterMs: retryAfterMs({ headers: asked }, now) }
  }
  return {
    kind: 'refused',
    problem: status >= 300 && status < 400 ? `${problem}: redirects are not followed` : problem,
    isOfRecords: OF_RECORDS.includes(status),
    isTooLarge: status === TOO_LARGE,
  }
}
