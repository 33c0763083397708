import { describe, expect, test, vi } from 'vitest'
import { simulateAggressor } from './aggressor.ts'
import { simulateHoarding } from './hoarding.ts'
import { createJetonStrategy } from './jeton-strategy.ts'
import { deploy, type LoadProfile, renewal, topOfTheHour } from './load-profiles.ts'
import { runSimulation } from './run-simulation.ts'
import { countStoreCallsOfCachedVends, simulateSaturation } from './saturation.ts'
import { STRATEGIES } from './strategies.ts'
import type { CreateStrategy } from './strategy.ts'

// seconds of computing each, which a busy machine takes a minute for
vi.setConfig({ testTimeout: 180_000 })

const MINUTE_MS = 60_000
const SEED = 'test'
const SMALL_DEPLOY = deploy({ workloads: 2000, connections: 3 })

const run = (profile: LoadProfile, createStrategy: CreateStrategy) =>
  runSimulation({ profile, createStrategy, maxDelayMs: 250, seed: SEED })

describe('a small deploy', () => {
  test('(c) logs everyone in with at most three new tokens and STS calls', async () => {
    const { throttled, gaveUp, logins, busiestSecond, stsCalls } = await run(
      SMALL_DEPLOY,
      STRATEGIES.c.create,
    )
    expect({ throttled, gaveUp, logins }).toEqual({ throttled: 0, gaveUp: 0, logins: 6000 })
    expect(busiestSecond).toBeLessThanOrEqual(3)
    expect(stsCalls).toBeLessThanOrEqual(3)
  })

  test('(d) is never throttled, and one token serves all connections of a principal over three instances', async () => {
    const { throttled, gaveUp, logins, newTokens } = await run(SMALL_DEPLOY, STRATEGIES.d.create)
    expect({ throttled, gaveUp, logins }).toEqual({ throttled: 0, gaveUp: 0, logins: 6000 })
    expect(newTokens).toBe(2000)
  })

  test('(a) and (b) with sessions of their own are throttled', async () => {
    const a = await run(SMALL_DEPLOY, STRATEGIES['a, own'].create)
    const b = await run(topOfTheHour({ jobs: 600 }), STRATEGIES['b, own'].create)
    expect(a.throttled).toBeGreaterThan(1000)
    expect(b.throttled).toBeGreaterThan(100)
  })
})

test('runSimulation returns the same figures each time', async () => {
  const profile = deploy({ workloads: 200, connections: 2 })
  expect(await run(profile, STRATEGIES.d.create)).toEqual(await run(profile, STRATEGIES.d.create))
})

test('(d) renews the tokens of a thousand principals, none throttled and none refused', async () => {
  const { throttled, refused, gaveUp } = await run(renewal(1000, 45 * MINUTE_MS), STRATEGIES.d.create)
  expect({ throttled, refused, gaveUp }).toEqual({ throttled: 0, refused: 0, gaveUp: 0 })
})

test('the simulated RDS notices a limit that is too high: 40 new tokens a second are throttled', async () => {
  const tooFast = createJetonStrategy({ session: 'per-principal', newTokensPerSecond: 40 })
  const { throttled } = await run(SMALL_DEPLOY, tooFast)
  expect(throttled).toBeGreaterThan(100)
})

test.each([1, 3, 10])(
  'saturated instances (%i) use at least 95% of the limit and never exceed it',
  async instances => {
    const { usedShare, busiestSecond } = await simulateSaturation({
      instances,
      newTokensPerSecond: 16,
      durationMs: 40_000,
      seed: SEED,
    })
    expect(busiestSecond).toBeLessThanOrEqual(16)
    expect(usedShare).toBeGreaterThanOrEqual(0.95)
  },
)

describe.each(['rotating', 'reporting'] as const)('an aggressor with %s subjects', aggression => {
  test.each([1, 3])('at %i of 3 instances costs no newcomer of another grant its token', async instances => {
    const { waits, usedShare, assumeRoleCalls, slots } = await simulateAggressor({
      aggression,
      instances,
      ...(aggression === 'rotating' ? { callers: 120 } : { maxPauseMs: 1000 }),
      durationMs: 45_000,
      seed: SEED,
    })
    expect(Math.max(...waits.map(wait => wait ?? Number.POSITIVE_INFINITY))).toBeLessThanOrEqual(3000)
    expect(assumeRoleCalls).toBeLessThanOrEqual(slots)
    if (aggression === 'rotating') expect(usedShare).toBeGreaterThanOrEqual(0.95)
  })
})

test('a vend of a cached token makes no store call', async () => {
  expect(await countStoreCallsOfCachedVends(100, SEED)).toBe(0)
})

test('hoarded tokens escape the limit: their first logins are throttled', async () => {
  const perPrincipal = await simulateHoarding(100, { session: 'per-principal', seed: SEED })
  const shared = await simulateHoarding(100, { session: 'shared', seed: SEED })
  expect(perPrincipal.throttled).toBeGreaterThan(0)
  expect(shared.throttled).toBe(0)
})
