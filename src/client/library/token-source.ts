import type { Clock } from '../../lib/clock.ts'
import { waitAtMost } from '../../lib/deadline.ts'
import { untilAborted } from '../../lib/until-aborted.ts'
import type { TokenReply } from '../token-reply.ts'
import { type HeldToken, holdToken } from './held-token.ts'
import { createRest, type Rest } from './rest.ts'
import type { Stopwatch } from './stopwatch.ts'
import { TokenError } from './token-error.ts'
import type { CallOptions, VendedToken } from './types.ts'

/** One question for jeton. */
export interface Question {
  /** The fingerprint of a token that the database refused. */
  refused?: string | undefined
  /** How long to ask again while the server says to come back later; with 0 it is asked once. */
  waitMs: number
}

export interface TokenSourceParts {
  /** Rejects with TokenError. */
  ask(question: Question): Promise<TokenReply>
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  waitMs: number
}

export interface TokenSource {
  get(options?: CallOptions): Promise<VendedToken>
  refused(token: VendedToken, options?: CallOptions): Promise<VendedToken>
  /** Notes that the database refused the token with this fingerprint. The next `get` asks for another. */
  noteRefused(fingerprint: string): void
  /** Notes the same of the current token. */
  noteCurrentRefused(): void
  /** Returns the certificates of RDS as they came with the last token; empty before the first. */
  caPem(): string
}

/** How long the caller that asks for the next token waits for it, while the last one is still good. */
const REFRESH_PATIENCE_MS = 1000
/** The shortest pause between two questions for the next token, while the last one is still good. */
const REFRESH_PAUSE_MS = 10_000

/**
 * Returns the tokens of one database user. There is one question to the server at a time, whoever waits for it; nothing goes on
 * without a caller but that question.
 */
export function createTokenSource(parts: TokenSourceParts): TokenSource {
  const { clock, startStopwatch, waitMs } = parts
  let held: HeldToken | undefined
  let refusedFingerprint: string | undefined
  let flight: (Question & { landed: Promise<VendedToken> }) | undefined
  /** Until when the server asked to leave it alone, with this question. */
  let closed: { question: Question; error: TokenError; rest: Rest } | undefined
  let untilRefresh = createRest(0, startStopwatch)

  async function get({ signal }: CallOptions = {}): Promise<VendedToken> {
    signal?.throwIfAborted()
    if (!held?.isUsable()) return untilAborted(ask({ waitMs }), signal)
    const { token } = held
    if (token.fingerprint === refusedFingerprint)
      // without another it is tried again: databases refuse a good token too, such as while they start
      return untilAborted(
        ask({ waitMs, refused: refusedFingerprint }).catch(() => token),
        signal,
      )
    if (held.isDue() && !flight && untilRefresh.isOver()) await untilAborted(refresh(), signal)
    return held.token
  }

  async function refresh(): Promise<void> {
    untilRefresh = createRest(REFRESH_PAUSE_MS, startStopwatch)
    const landed = ask({ waitMs: 0 }).catch(({ retryAfterMs = 0 }) => {
      untilRefresh = createRest(Math.max(retryAfterMs, REFRESH_PAUSE_MS), startStopwatch)
    })
    await waitAtMost(landed, { clock, maxMs: REFRESH_PATIENCE_MS })
  }

  /** Joins the question under way if it is this one and as patient, or asks it after that. */
  async function ask(question: Question): Promise<VendedToken> {
    while (flight && (flight.refused !== question.refused || flight.waitMs < question.waitMs)) {
      const token = await flight.landed.catch(() => undefined)
      if (token && token.fingerprint !== question.refused) return token
    }
    flight ??= { ...question, landed: fly(question).finally(land) }
    return flight.landed
  }

  function land(): void {
    flight = undefined
  }

  async function fly(question: Question): Promise<VendedToken> {
    const restMs = closed && closed.question.refused === question.refused ? closed.rest.leftMs() : 0
    if (closed && restMs > question.waitMs) throw laterError(closed.error, restMs)
    if (restMs > 0) await clock.sleep(restMs)
    try {
      const reply = await parts.ask({ ...question, waitMs: question.waitMs - restMs })
      closed = undefined
      held = holdToken(reply, startStopwatch())
      return held.token
    } catch (error) {
      if (error instanceof TokenError && error.retryAfterMs !== undefined)
        closed = { question, error, rest: createRest(error.retryAfterMs, startStopwatch) }
      throw error
    }
  }

  return {
    get,
    async refused({ fingerprint }, { signal } = {}) {
      signal?.throwIfAborted()
      if (held && held.token.fingerprint !== fingerprint) return get({ signal })
      refusedFingerprint = fingerprint
      return untilAborted(ask({ waitMs, refused: fingerprint }), signal)
    },
    noteRefused(fingerprint) {
      refusedFingerprint = fingerprint
    },
    noteCurrentRefused() {
      refusedFingerprint = held?.token.fingerprint
    },
    caPem: () => held?.token.ca.pem ?? '',
  }
}

function laterError({ message, ...rest }: TokenError, retryAfterMs: number): TokenError {
  return new TokenError(message, { ...rest, retryAfterMs })
}
