import { createStopwatches } from '../../../src/client/library/stopwatch.ts'
import {
  createTokenSource,
  type Question,
  type TokenSource,
} from '../../../src/client/library/token-source.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { sampleReply } from '../../support/service/api-stub.ts'

/** What a test lets the server say to one question; a function is called when it is asked. */
export type Answer = TokenReply | Error | (() => TokenReply | Error | Promise<TokenReply>)

export interface QuestionsOptions {
  waitMs?: number
  /** How far the machine's clock is ahead of the time that passes. */
  aheadMs?: () => number
}

/** A token source in virtual time, and the questions that it asked. */
export interface Questions {
  readonly source: TokenSource
  readonly clock: VirtualClock
  readonly asked: Question[]
  /** One after the other; the last is repeated. */
  answers: Answer[]
}

export function askQuestions({ waitMs = 10_000, aheadMs = () => 0 }: QuestionsOptions = {}): Questions {
  const clock = virtualClock()
  const asked: Question[] = []
  const questions: Questions = {
    clock,
    asked,
    answers: [],
    source: createTokenSource({
      async ask(question) {
        asked.push(question)
        const next = questions.answers.length > 1 ? questions.answers.shift() : questions.answers[0]
        const answer = await (typeof next === 'function' ? next() : next)
        if (answer === undefined || answer instanceof Error) throw answer
        return answer
      },
      clock,
      startStopwatch: createStopwatches({ wall: { now: () => clock.now() + aheadMs() }, monotonic: clock }),
      waitMs,
    }),
  }
  return questions
}

/** A reply with a new token of 15 minutes, to be refreshed after 9, as a server says it whose clock is an hour ahead. */
export function freshReply(over: Partial<TokenReply> = {}): TokenReply {
  const { cached: _, ...reply } = sampleReply()
  return {
    ...reply,
    refreshAfter: '2026-11-23T11:09:00Z',
    expiresAt: '2026-11-23T11:15:00Z',
    expiresIn: 900,
    ...over,
  }
}
