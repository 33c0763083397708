import { describe, expect, test } from 'vitest'
import { askingJeton } from './callers.ts'
import { CONTENDERS } from './contenders.ts'
import { hoard } from './hoarded.ts'
import { deploy, type Load, renewal, topOfTheHour } from './loads.ts'
import { play } from './play.ts'
import { saturate, storeCallsOfCachedVends } from './saturation.ts'

const MINUTE = 60_000
const SEED = 'test'
const SMALL_DEPLOY = deploy({ workloads: 2000, connections: 3 })

const played = (load: Load, contending: (typeof CONTENDERS)['c']['contending']) =>
  play({ load, contender: contending, delayMs: 250, seed: SEED })

describe('a small deploy', () => {
  test('(c) gets everyone in with a handful of new tokens and STS calls', async () => {
    const { throttled, gaveUp, logins, busiestSecond, stsCalls } = await played(
      SMALL_DEPLOY,
      CONTENDERS.c.contending,
    )
    expect({ throttled, gaveUp, logins }).toEqual({ throttled: 0, gaveUp: 0, logins: 6000 })
    expect(busiestSecond).toBeLessThanOrEqual(3)
    expect(stsCalls).toBeLessThanOrEqual(3)
  })

  test('(d) is never throttled, and one token serves all connections of a principal over three instances', async () => {
    const { throttled, gaveUp, logins, seconds } = await played(SMALL_DEPLOY, CONTENDERS.d.contending)
    expect({ throttled, gaveUp, logins }).toEqual({ throttled: 0, gaveUp: 0, logins: 6000 })
    expect(seconds.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(2000)
  })

  test('(a) and (b) with sessions of their own are throttled', async () => {
    const a = await played(SMALL_DEPLOY, CONTENDERS['a, own'].contending)
    const b = await played(topOfTheHour({ jobs: 600 }), CONTENDERS['b, own'].contending)
    expect(a.throttled).toBeGreaterThan(1000)
    expect(b.throttled).toBeGreaterThan(100)
  })

  test('comes out the same each time', async () => {
    const load = deploy({ workloads: 200, connections: 2 })
    expect(await played(load, CONTENDERS.d.contending)).toEqual(await played(load, CONTENDERS.d.contending))
  })
})

test('(d) renews a thousand principals, none throttled and none refused', async () => {
  const { throttled, refused, gaveUp } = await played(renewal(1000, 45 * MINUTE), CONTENDERS.d.contending)
  expect({ throttled, refused, gaveUp }).toEqual({ throttled: 0, refused: 0, gaveUp: 0 })
})

test('the judge would see what goes too fast: a pace of 40 a second is throttled', async () => {
  const { throttled } = await played(
    SMALL_DEPLOY,
    askingJeton({ session: 'per-principal', newTokensPerSecond: 40 }),
  )
  expect(throttled).toBeGreaterThan(100)
})

test.each([1, 3, 10])(
  'saturated, %i instances use nineteen twentieths of the pace and never more',
  async instances => {
    const { used, busiestSecond } = await saturate({
      instances,
      perSecond: 16,
      durationMs: 40_000,
      seed: SEED,
    })
    expect(busiestSecond).toBeLessThanOrEqual(16)
    expect(used).toBeGreaterThanOrEqual(0.95)
  },
)

test('a token at hand is vended without a call to the store', async () => {
  expect(await storeCallsOfCachedVends(100, SEED)).toBe(0)
})

test('tokens that were kept unused cannot be paced: their first logins are throttled', async () => {
  const kept = await hoard(100, { session: 'per-principal', seed: SEED })
  const shared = await hoard(100, { session: 'shared', seed: SEED })
  expect(kept.throttled).toBeGreaterThan(0)
  expect(shared.throttled).toBe(0)
})
