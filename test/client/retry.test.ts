import { describe, expect, test } from 'vitest'
import { CallerError, failure, temporaryFailure } from '../../src/client/errors.ts'
import { type RetryOptions, retryWhileTemporary, type Wait } from '../../src/client/retry.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const busy = (seconds?: number) =>
  new CallerError('busy', {
    exitCode: 4,
    isTemporary: true,
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  })

/** Fails with these errors in turn, the last one again and again; returns when it was tried, in seconds, and how it ended. */
async function attemptTimes(errors: readonly (Error | 'ok')[], over: Partial<RetryOptions> = {}) {
  const clock = virtualClock()
  const startedAt = clock.now()
  const times: number[] = []
  const waits: Wait[] = []
  const attempt = async () => {
    const next = errors[Math.min(times.length, errors.length - 1)]
    times.push((clock.now() - startedAt) / 1000)
    if (next !== 'ok') throw next
    return 'token'
  }
  const options = {
    waitMs: 30_000,
    clock,
    random: () => 0.5,
    onWait: (wait: Wait) => waits.push(wait),
    ...over,
  }
  const ended = retryWhileTemporary(attempt, options).catch((cause: unknown) => cause)
  await clock.advance(3_600_000)
  return { times, waits, startedAt, ended: await ended }
}

describe('retryWhileTemporary', () => {
  test('waits as long as the server asks, each time anew', async () => {
    const { times, ended } = await attemptTimes([busy(7), busy(3), 'ok'])
    expect([times, ended]).toEqual([[0, 7, 10], 'token'])
  })

  test('tries once more when the time is over, if the server asks for just as long', async () => {
    expect((await attemptTimes([busy(30), 'ok'])).times).toEqual([0, 30])
  })

  test('waits a little longer for a time that the server has promised', async () => {
    expect((await attemptTimes([busy(31), 'ok'])).times).toEqual([0, 31])
  })

  test('tries once more when the time is over, if the server asks for longer', async () => {
    const error = busy(600)
    const { times, ended } = await attemptTimes([error])
    expect(times).toEqual([0, 30])
    expect(ended).toBe(error)
  })

  test('backs off if nobody says for how long, and ends with an attempt at the end', async () => {
    const { times } = await attemptTimes([temporaryFailure('reset')])
    expect(times).toEqual([0, 1, 3, 7, 15, 25, 30])
  })

  test('never backs off beyond the end by itself', async () => {
    const { times } = await attemptTimes([temporaryFailure('reset')], { waitMs: 14_000 })
    expect(times).toEqual([0, 1, 3, 7, 14])
  })

  test.each([
    [0, [0, 0.75, 2.25]],
    [1, [0, 1.25, 3.75]],
  ])('spreads that by chance: %d', async (random, expected) => {
    expect((await attemptTimes([busy()], { random: () => random })).times.slice(0, 3)).toEqual(expected)
  })

  test('tries once without a wait', async () => {
    const { times, waits } = await attemptTimes([busy(1)], { waitMs: 0 })
    expect([times, waits]).toEqual([[0], []])
  })

  test.each([
    ['a refusal', new CallerError('no', { exitCode: 3 })],
    ['a failure', failure('wrong certificate')],
    ['another error', new Error('bug')],
  ])('ends at once with %s', async (_what, error) => {
    const { times, ended } = await attemptTimes([busy(1), error])
    expect(times).toEqual([0, 1])
    expect(ended).toBe(error)
  })

  test('says before each wait why, for how long, and until when', async () => {
    const error = busy(29)
    const { waits, startedAt } = await attemptTimes([error])
    const giveUpAt = startedAt + 30_000
    expect(waits).toEqual([
      { error, delayMs: 29_000, giveUpAt },
      { error, delayMs: 1000, giveUpAt },
    ])
  })

  test('ends its wait when the caller gives up', async () => {
    const clock = virtualClock()
    const caller = new AbortController()
    let attempts = 0
    const ended = retryWhileTemporary(
      async () => {
        attempts++
        throw busy(20)
      },
      { waitMs: 30_000, clock, random: () => 0.5, signal: caller.signal },
    )
    await clock.advance(5000)
    const reason = new Error('the pool is closed')
    caller.abort(reason)
    await expect(ended).rejects.toBe(reason)
    await clock.advance(60_000)
    expect(attempts).toBe(1)
  })
})
