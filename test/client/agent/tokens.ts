import { type KeptToken, keepToken } from '../../../src/client/agent/kept-token.ts'
import { parseWantedLogins, type WantedLogin } from '../../../src/client/agent/wanted-login.ts'
import { CallerError } from '../../../src/client/errors.ts'
import { createStopwatches } from '../../../src/client/library/stopwatch.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { freshReply } from '../library/questions.ts'

export const DOWN = new CallerError('jeton cannot be reached', { exitCode: 1, isTemporary: true })
export const REFUSED = new CallerError('no grant', { exitCode: 3, code: 'access_denied' })
export const busy = (seconds: number) =>
  new CallerError('too much to do', { exitCode: 4, code: 'throttled', retryAfterMs: seconds * 1000 })

type AnswerOfServer = TokenReply | CallerError

/** Logins in virtual time, and the questions that they asked. */
export interface KeptLogins {
  readonly clock: VirtualClock
  readonly tokens: readonly KeptToken[]
  /** When each question was asked, in seconds since the start, by login. */
  readonly asked: Record<string, number[]>
  /** What the server says to all, or to one login. */
  answer: AnswerOfServer | ((login: WantedLogin) => AnswerOfServer)
  /** How far the machine's clock is ahead of the time that passes. */
  aheadMs: number
}

export function keepLogins(words: readonly string[], { random = 0 } = {}): KeptLogins {
  const clock = virtualClock()
  const start = clock.now()
  const tokens: KeptToken[] = []
  const logins: KeptLogins = { clock, tokens, asked: {}, answer: () => freshReply(), aheadMs: 0 }
  const wall = { now: () => clock.now() + logins.aheadMs }
  tokens.push(
    ...parseWantedLogins(words, undefined).map(wanted =>
      keepToken({
        wanted,
        async ask() {
          logins.asked[wanted.name] = [...(logins.asked[wanted.name] ?? []), (clock.now() - start) / 1000]
          const answer = typeof logins.answer === 'function' ? logins.answer(wanted) : logins.answer
          if (answer instanceof Error) throw answer
          return { reply: answer, connectAddress: undefined }
        },
        startStopwatch: createStopwatches({ wall, monotonic: clock }),
        random: () => random,
      }),
    ),
  )
  return logins
}
