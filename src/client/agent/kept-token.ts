import { backoffMs, jitteredMs } from '../../lib/backoff.ts'
import type { ConnectAddress } from '../connect-address.ts'
import { CallerError } from '../errors.ts'
import { type HeldToken, holdToken } from '../library/held-token.ts'
import { createRest } from '../library/rest.ts'
import type { Stopwatch } from '../library/stopwatch.ts'
import { TokenError } from '../library/token-error.ts'
import type { TokenReply } from '../token-reply.ts'
import type { WantedLogin } from './wanted-login.ts'

/** What a server said to a question for a login. */
export interface Answer {
  readonly reply: TokenReply
  readonly connectAddress: ConnectAddress | undefined
}

/** What came of a look at a token: undefined if there was nothing to do. */
export type AskOutcome =
  | { readonly isNew: boolean }
  /** How long until the next question, in milliseconds. */
  | { readonly error: CallerError; readonly nextMs: number }

export interface KeptTokenParts {
  wanted: WantedLogin
  /** Asks the server. Rejects with CallerError. */
  ask(wanted: WantedLogin): Promise<Answer>
  startStopwatch(): Stopwatch
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

/** The token of one login, renewed in time. */
export interface KeptToken {
  readonly wanted: WantedLogin
  /** The last answer, even if its token has ended; undefined before the first. It is another object only if it says something new. */
  answer(): Answer | undefined
  /** How long the token lasts, in milliseconds; 0 if it has ended or there is none. */
  leftMs(): number
  /** How long until it is time to ask, in milliseconds. */
  nextMs(): number
  /** Asks for the next token if it is time for that, or `isAsked`. Rejects only with what `ask` may not reject with. */
  renew(options?: { isAsked?: boolean }): Promise<AskOutcome | undefined>
}

/** Of the time from `refreshAfter` to the end: so many agents with one token do not ask in one moment. */
const JITTER = 0.1
/** How long before the end it is time to ask, whatever the server says. */
const MIN_DUE_MS = 60_000
const BACKOFF = { firstMs: 2000, maxMs: 30_000 }
/** Others renew it just now, or the server has too much to do. */
const SAME_TOKEN_MS = 10_000
/** What does not pass by itself, such as a refusal: somebody may mend it. */
const REFUSED_MS = 60_000
/** Whatever a server asks for: who reloads it does not want to wait for an hour. */
const MAX_REST_MS = 5 * 60_000
const SPREAD = { low: 0.75, high: 1.25 }

/** What a server says of one token, and differently each time. */
const OF_THE_REPLY = ['expiresIn', 'cached', 'auditId']

/** Whether two answers say the same of a login. */
function isSame(one: Answer, other: Answer): boolean {
  const text = (answer: Answer) =>
    JSON.stringify(answer, (name, value) => (OF_THE_REPLY.includes(name) ? undefined : value))
  return text(one) === text(other)
}

/** Returns the last answer for a login; undefined before the first. */
export function findAnswer(tokens: readonly KeptToken[], login: WantedLogin): Answer | undefined {
  return tokens.find(({ wanted }) => wanted === login)?.answer()
}

/** Returns the token of a login, which is asked for by `renew`. */
export function keepToken({ wanted, ask, startStopwatch, random }: KeptTokenParts): KeptToken {
  let kept: (HeldToken & { answer: Answer; dueMs: number }) | undefined
  let rest = createRest(0, startStopwatch)
  let failures = 0

  const leftMs = () => (kept?.isUsable() ? Math.max(0, kept.leftMs()) : 0)
  const untilDueMs = () => (kept ? Math.max(0, kept.leftMs() - kept.dueMs) : 0)
  const nextMs = () => Math.max(rest.leftMs(), untilDueMs())

  async function askNow(): Promise<AskOutcome> {
    const answer = await ask(wanted)
    const held = hold(answer.reply)
    const isNew = held.token.token !== kept?.answer.reply.token
    const dueMs = Math.max(MIN_DUE_MS, held.spareMs * (1 - JITTER * random()))
    kept = { ...held, answer: kept && isSame(kept.answer, answer) ? kept.answer : answer, dueMs }
    failures = 0
    rest = createRest(
      held.leftMs() <= dueMs ? jitteredMs(SAME_TOKEN_MS, { ...SPREAD, random: random() }) : 0,
      startStopwatch,
    )
    return { isNew }
  }

  function hold(reply: TokenReply): HeldToken {
    try {
      return holdToken(reply, startStopwatch())
    } catch (cause) {
      if (!(cause instanceof TokenError)) throw cause
      throw new CallerError(cause.message, { exitCode: 4, isTemporary: true })
    }
  }

  function noteFailure(error: CallerError): AskOutcome {
    const ownMs = error.isTemporary ? backoffMs(failures, BACKOFF) : REFUSED_MS
    failures++
    const waitMs = Math.max(error.retryAfterMs ?? 0, jitteredMs(ownMs, { ...SPREAD, random: random() }))
    rest = createRest(Math.min(waitMs, MAX_REST_MS), startStopwatch)
    return { error, nextMs: rest.leftMs() }
  }

  return {
    wanted,
    answer: () => kept?.answer,
    leftMs,
    nextMs,
    async renew({ isAsked = false } = {}) {
      if (!isAsked && nextMs() > 0) return undefined
      try {
        return await askNow()
      } catch (cause) {
        if (!(cause instanceof CallerError)) throw cause
        return noteFailure(cause)
      }
    },
  }
}
