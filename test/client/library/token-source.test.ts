import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { TokenError } from '../../../src/client/library/token-error.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { settle } from '../../support/clock/virtual-clock.ts'
import { askQuestions, freshReply } from './questions.ts'

const MINUTE_MS = 60_000
const SOON = new TokenError('try again', { code: 'throttled', isTemporary: true, retryAfterMs: 30_000 })
const DOWN = new TokenError('jeton cannot be reached')

/** An answer that the test gives later. */
function laterAnswer() {
  let reply: (value: TokenReply) => void = () => {}
  const promise = new Promise<TokenReply>(resolve => {
    reply = resolve
  })
  return { answer: () => promise, reply: (value: TokenReply) => reply(value) }
}

test('fifty callers at once share one question, and keep its token until it is time for another', async () => {
  const questions = askQuestions()
  questions.answers = [freshReply()]
  const { source, clock, asked } = questions
  const tokens = await Promise.all(Array.from({ length: 50 }, () => source.get()))
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(1)
  await clock.advance(9 * MINUTE_MS - 1)
  expect(await source.get()).toBe(tokens[0])
  expect(asked).toEqual([{ waitMs: 10_000 }])
})

test('from refreshAfter on one caller asks for the next token, and the others have the last one at once', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  const later = laterAnswer()
  questions.answers = [freshReply(), later.answer]
  const first = await source.get()
  await clock.advance(9 * MINUTE_MS)
  const asking = source.get()
  await settle()
  expect(await source.get()).toBe(first)
  const second = freshReply()
  later.reply(second)
  expect((await asking).token).toBe(second.token)
  expect((await source.get()).token).toBe(second.token)
  expect(asked).toEqual([{ waitMs: 10_000 }, { waitMs: 0 }])
})

test('who asks for the next token waits a second for it, and then has the last one', async () => {
  const questions = askQuestions()
  const { source, clock } = questions
  const later = laterAnswer()
  questions.answers = [freshReply(), later.answer]
  const first = await source.get()
  await clock.advance(9 * MINUTE_MS)
  const asking = source.get()
  await clock.advance(999)
  expect(await Promise.race([asking, 'pending'])).toBe('pending')
  await clock.advance(1)
  expect(await asking).toBe(first)
  const second = freshReply()
  later.reply(second)
  await settle()
  expect((await source.get()).token).toBe(second.token)
})

test('while the server gives no other, the last token is used until it ends, and asked for as the server says', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  questions.answers = [freshReply(), SOON, DOWN]
  const first = await source.get()
  await clock.advance(9 * MINUTE_MS)
  for (let i = 0; i < 5; i++) expect(await source.get()).toBe(first)
  expect(asked).toHaveLength(2)
  await clock.advance(29_999)
  await source.get()
  expect(asked).toHaveLength(2)
  await clock.advance(1)
  await source.get()
  expect(asked).toHaveLength(3)
  // without a word of the server, ten seconds
  await clock.advance(9999)
  await source.get()
  expect(asked).toHaveLength(3)
  await clock.advance(5 * MINUTE_MS + 14_999)
  expect(await source.get()).toBe(first)
  // five seconds before its end it is never handed out
  await clock.advance(2)
  await expect(source.get()).rejects.toBe(DOWN)
})

test('a server that has no newer token yet is asked once in ten seconds', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  const reply = freshReply()
  questions.answers = [reply, { ...reply, expiresIn: 359 }]
  await source.get()
  await clock.advance(9 * MINUTE_MS)
  for (let i = 0; i < 5; i++) await source.get()
  expect(asked).toHaveLength(2)
  await clock.advance(10_000)
  await source.get()
  expect(asked).toHaveLength(3)
})

test.each([
  ['put back by an hour', -60 * MINUTE_MS],
  ['put forward by an hour', 60 * MINUTE_MS],
  ['right', 0],
])('how long a token lasts does not depend on a clock that is %s', async (_, offsetMs) => {
  let shiftMs = 0
  const questions = askQuestions({ aheadMs: () => offsetMs + shiftMs })
  const { source, clock } = questions
  questions.answers = [freshReply(), DOWN]
  const first = await source.get()
  await clock.advance(15 * MINUTE_MS - 5001)
  expect(await source.get()).toBe(first)
  // put back while a token is held, which does not make it younger
  shiftMs = -20 * MINUTE_MS
  await clock.advance(1)
  await expect(source.get()).rejects.toBe(DOWN)
})

test('a token ages while the machine sleeps, when only the wall clock goes on', async () => {
  let sleptMs = 0
  const questions = askQuestions({ aheadMs: () => sleptMs })
  questions.answers = [freshReply(), DOWN]
  await questions.source.get()
  sleptMs = 15 * MINUTE_MS
  await expect(questions.source.get()).rejects.toBe(DOWN)
})

test('a token that is about to end when it arrives is an error', async () => {
  const questions = askQuestions()
  questions.answers = [freshReply({ expiresIn: 5 })]
  await expect(questions.source.get()).rejects.toMatchObject({ isTemporary: true })
})

test('a server that does not say how long a token lasts is believed to promise five minutes', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  const { expiresIn: _, ...reply } = freshReply()
  questions.answers = [reply]
  await source.get()
  await clock.advance(2.5 * MINUTE_MS - 1)
  await source.get()
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  await source.get()
  expect(asked).toHaveLength(2)
})

test('a hundred calls with one signal are no leak, of which Node would warn', async () => {
  const warnings: string[] = []
  const onWarning = ({ message }: Error) => void warnings.push(message)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const questions = askQuestions()
  questions.answers = [freshReply()]
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 100 }, () => questions.source.get({ signal })))
  await settle()
  expect(warnings).toEqual([])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('an aborted call rejects with its reason, and the others go on', async () => {
  const questions = askQuestions()
  const { source, asked } = questions
  const later = laterAnswer()
  questions.answers = [later.answer]
  const ending = new AbortController()
  const aborted = source.get({ signal: ending.signal })
  const other = source.get()
  const reason = new Error('no more')
  ending.abort(reason)
  await expect(aborted).rejects.toBe(reason)
  later.reply(freshReply())
  await expect(other).resolves.toBeDefined()
  await expect(source.get({ signal: ending.signal })).rejects.toBe(reason)
  expect(asked).toHaveLength(1)
})

test('a failure is one question’s: those who wait share it, and the next call asks again', async () => {
  const questions = askQuestions()
  const { source, asked } = questions
  questions.answers = [DOWN, freshReply()]
  const results = await Promise.allSettled([source.get(), source.get(), source.get()])
  expect(results.map(result => result.status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(asked).toHaveLength(1)
  await expect(source.get()).resolves.toBeDefined()
})

test('a server that asks to come back later than a call waits is left alone until that time is near', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  questions.answers = [SOON, freshReply()]
  await expect(source.get()).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 30_000 })
  await clock.advance(15_000)
  await expect(source.get()).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 15_000 })
  expect(asked).toHaveLength(1)
  await clock.advance(6000)
  const waiting = source.get()
  await clock.advance(8999)
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  await expect(waiting).resolves.toBeDefined()
  expect(asked.at(-1)).toEqual({ waitMs: 1000 })
})

test('all who report one refused token share one question, and whoever asks meanwhile has the next one', async () => {
  const questions = askQuestions()
  const { source, asked } = questions
  const later = laterAnswer()
  questions.answers = [freshReply(), later.answer]
  const first = await source.get()
  const reports = Array.from({ length: 50 }, () => source.refused(first))
  const asking = source.get()
  const second = freshReply()
  later.reply(second)
  const tokens = await Promise.all([...reports, asking])
  expect(new Set(tokens.map(({ token }) => token))).toEqual(new Set([second.token]))
  expect(asked).toEqual([{ waitMs: 10_000 }, { waitMs: 10_000, refused: first.fingerprint }])
  // a report that comes late is of a token that is gone
  expect((await source.refused(first)).token).toBe(second.token)
  expect(asked).toHaveLength(2)
})

test('a refusal that is only noted costs nothing, until somebody needs a token', async () => {
  const questions = askQuestions()
  const { source, asked } = questions
  const second = freshReply()
  questions.answers = [freshReply(), second]
  const first = await source.get()
  source.noteRefused(first.fingerprint)
  source.noteRefused(first.fingerprint)
  expect(asked).toHaveLength(1)
  const tokens = await Promise.all([source.get(), source.get()])
  expect(tokens.map(({ token }) => token)).toEqual([second.token, second.token])
  expect(asked.slice(1)).toEqual([{ waitMs: 10_000, refused: first.fingerprint }])
  // of a token that is gone
  source.noteRefused(first.fingerprint)
  expect((await source.get()).token).toBe(second.token)
  expect(asked).toHaveLength(2)
})

test('without another token, who reports the refused one is told why, and others go on with it', async () => {
  const questions = askQuestions()
  const { source, asked } = questions
  questions.answers = [freshReply(), SOON]
  const first = await source.get()
  await expect(source.refused(first)).rejects.toBe(SOON)
  expect(await source.get()).toBe(first)
  expect(await source.get()).toBe(first)
  expect(asked).toHaveLength(2)
})

test('a report waits for the question for the next token, and asks its own after it', async () => {
  const questions = askQuestions()
  const { source, clock, asked } = questions
  const later = laterAnswer()
  const reply = freshReply()
  const second = freshReply()
  questions.answers = [reply, later.answer, second]
  const first = await source.get()
  await clock.advance(9 * MINUTE_MS)
  const refreshing = source.get()
  await settle()
  const report = source.refused(first)
  later.reply({ ...reply, expiresIn: 359 })
  expect((await report).token).toBe(second.token)
  await refreshing
  expect(asked).toEqual([{ waitMs: 10_000 }, { waitMs: 0 }, { waitMs: 10_000, refused: first.fingerprint }])
})

test('a token shows itself in no log, has a fingerprint, and nobody can change it for the others', async () => {
  const questions = askQuestions()
  const reply = freshReply()
  questions.answers = [reply]
  const token = await questions.source.get()
  expect(token.token).toBe(reply.token)
  for (const text of [
    inspect(token, { depth: 9 }),
    JSON.stringify(token),
    String(token),
    inspect(questions.source),
  ])
    expect(text).not.toContain('X-Amz-Signature')
  expect(token.fingerprint).toBe(sha256Hex(reply.token))
  expect(Object.isFrozen(token) && Object.isFrozen(token.ca)).toBe(true)
})
