import { expect, test } from 'vitest'
import { freshReply } from '../library/questions.ts'
import { busy, DOWN, keepLogins, REFUSED } from './tokens.ts'

const MINUTE_MS = 60_000

/** A token that is kept, after its first question. */
async function keepOne(options?: { random?: number }) {
  const logins = keepLogins(['orders'], options)
  const [token] = logins.tokens
  if (!token) throw new Error('no login')
  await token.renew()
  return { ...logins, logins, token }
}

test('a token is renewed from refreshAfter on, and up to a tenth of what is left then later', async () => {
  for (const [random, dueMs] of [
    [0, 9 * MINUTE_MS],
    [1, 9.6 * MINUTE_MS],
  ] as const) {
    const { token, clock } = await keepOne({ random })
    expect(token.nextMs()).toBe(dueMs)
    await clock.advance(dueMs - 1)
    expect(await token.renew()).toBeUndefined()
    await clock.advance(1)
    expect(await token.renew()).toEqual({ isNew: true })
  }
})

test('a server that has no newer one yet is asked again after some seconds', async () => {
  const { token, clock, logins } = await keepOne()
  const same = token.answer()!
  logins.answer = { ...same.reply, expiresIn: 360, auditId: 'another' }
  await clock.advance(9 * MINUTE_MS)
  expect(await token.renew()).toEqual({ isNew: false })
  // nothing that a file would have to say anew
  expect(token.answer()).toBe(same)
  expect(token.nextMs()).toBe(7500)
  await clock.advance(7500)
  logins.answer = freshReply()
  expect(await token.renew()).toEqual({ isNew: true })
  expect(token.nextMs()).toBe(9 * MINUTE_MS)
})

test('what may pass is tried again after 2 s, 4 s and so on to 30 s, and the last token is kept until it ends', async () => {
  const { token, clock, logins } = await keepOne({ random: 0.5 })
  const kept = token.answer()
  logins.answer = DOWN
  await clock.advance(token.nextMs())
  const waits: number[] = []
  for (let i = 0; i < 7; i++) {
    expect(await token.renew()).toMatchObject({ error: DOWN })
    waits.push(token.nextMs() / 1000)
    await clock.advance(token.nextMs())
  }
  expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30])
  expect([token.answer(), token.leftMs() > 0]).toEqual([kept, true])
  await clock.advance(6 * MINUTE_MS)
  expect([token.answer(), token.leftMs()]).toEqual([kept, 0])
})

test('the server is asked when it says, but no later than after five minutes', async () => {
  const { token, clock, logins } = await keepOne()
  await clock.advance(9 * MINUTE_MS)
  logins.answer = busy(45)
  await token.renew()
  expect(token.nextMs()).toBe(45_000)
  await clock.advance(44_999)
  expect(await token.renew()).toBeUndefined()
  logins.answer = busy(86_400)
  await clock.advance(1)
  await token.renew()
  expect(token.nextMs()).toBe(5 * MINUTE_MS)
})

test('after a refusal it asks each minute, and at once if somebody asks for it', async () => {
  const { token, clock, logins } = await keepOne({ random: 0.5 })
  await clock.advance(token.nextMs())
  logins.answer = REFUSED
  await token.renew()
  expect(token.nextMs()).toBe(MINUTE_MS)
  logins.answer = freshReply()
  expect(await token.renew()).toBeUndefined()
  expect(await token.renew({ isAsked: true })).toEqual({ isNew: true })
})

test.each([
  ['put back by an hour', -60 * MINUTE_MS, 9 * MINUTE_MS],
  ['put forward by ten minutes, or the machine slept for so long', 10 * MINUTE_MS, 0],
  ['put forward by a day', 24 * 60 * MINUTE_MS, 0],
])('a clock that was %s', async (_, aheadMs, nextMs) => {
  const { token, logins } = await keepOne()
  logins.aheadMs = aheadMs
  expect(token.nextMs()).toBe(nextMs)
  logins.answer = freshReply()
  await token.renew({ isAsked: true })
  // whatever the clock says now, the new token has its whole life before it
  expect([token.nextMs(), token.leftMs()]).toEqual([9 * MINUTE_MS, 15 * MINUTE_MS])
})

test.each(['3000-01-01T00:00:00Z', 'at its end'])(
  'a token is renewed a minute before its end at the latest, even if the server says to ask again %s',
  async refreshAfter => {
    const logins = keepLogins(['orders'])
    const reply = freshReply()
    logins.answer = {
      ...reply,
      refreshAfter: refreshAfter === 'at its end' ? reply.expiresAt! : refreshAfter,
    }
    const [token] = logins.tokens
    await token!.renew()
    expect(token!.nextMs()).toBe(14 * MINUTE_MS)
  },
)

test('a token that is about to end is none, and another is asked for', async () => {
  const logins = keepLogins(['orders'])
  logins.answer = freshReply({ expiresIn: 3 })
  const outcome = await logins.tokens[0]!.renew()
  expect(outcome).toMatchObject({ error: { exitCode: 4, isTemporary: true } })
  expect(logins.tokens[0]!.answer()).toBeUndefined()
})
