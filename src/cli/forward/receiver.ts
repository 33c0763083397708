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
  | (SendFailure & { readonly kind: 'later'; readonly retryAfterMs?: number | undefined })
  /** Never. */
  | (SendFailure & { readonly kind: 'refused' })

interface SendFailure {
  readonly problem: string
  /** Whether fewer records, or others, might be accepted. */
  readonly isOfBatch: boolean
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
/** What a receiver says of a body that is too large, takes too long, or has something in it that it does not take. */
const OF_BATCH = [400, 408, 413, 422, 504]

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

/** A body that takes its receiver too long, or ends it, looks like this, too. */
function failed(cause: unknown): SendOutcome {
  if (!(cause instanceof CallerError))
    return { kind: 'later', problem: `cannot be reached${systemCodeNote(cause)}`, isOfBatch: true }
  const { message: problem, isTemporary } = cause
  return isTemporary
    ? { kind: 'later', problem, isOfBatch: true }
    : { kind: 'refused', problem, isOfBatch: false }
}

function outcomeOf({ status, ok, headers }: Response, now: number): SendOutcome {
  if (ok) return { kind: 'accepted' }
  const problem = `answered ${status}`
  const isOfBatch = OF_BATCH.includes(status)
  if (status >= 500 || TEMPORARY.includes(status)) {
    const after = headers.get('retry-after')
    const asked = after === null ? {} : { 'retry-after': after }
    return { kind: 'later', problem, isOfBatch, retryAfterMs: retryAfterMs({ headers: asked }, now) }
  }
  return {
    kind: 'refused',
    problem: status >= 300 && status < 400 ? `${problem}: redirects are not followed` : problem,
    isOfBatch,
  }
}
