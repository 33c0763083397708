import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { fakeRateLimiter } from './fakes.ts'
import { createInstance, during, type Instance, KEY, MINUTE, OWNER } from './instances.ts'

const LONGEST = { minimumMs: 840_000 }
const DOWN = new JetonError('temporarily_unavailable', { publicMessage: 'STS is down', retryAfterMs: 5000 })

let clock: VirtualClock
let store: Store
let one: Instance
let two: Instance

beforeEach(() => {
  clock = virtualClock()
  store = createMemoryStore(clock)
  one = createInstance({ store, clock })
  two = createInstance({ store, clock })
})

const leftOf = ({ token }: TokenDelivery) => token.expiresAt - clock.now()
const fingerprintOf = ({ token }: TokenDelivery) => token.fingerprint
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'vended',
    (cause: JetonError) => cause.code,
  )

describe('a caller that needs a token for longer than the current one lasts', () => {
  test('gets another, which from then on is the current one of every instance', async () => {
    const first = await during(clock, one.get())
    await clock.advance(5 * MINUTE)
    expect(fingerprintOf(await during(clock, one.get({ minimumMs: 590_000 })))).toBe(fingerprintOf(first))
    const longer = await during(clock, one.get(LONGEST))
    expect(longer.cached).toBe(false)
    expect(leftOf(longer)).toBeGreaterThanOrEqual(840_000)
    expect(fingerprintOf(await one.get())).toBe(fingerprintOf(longer))
    const elsewhere = await during(clock, two.get(LONGEST))
    expect([fingerprintOf(elsewhere), elsewhere.cached]).toEqual([fingerprintOf(longer), true])
    expect([one.signed(), two.signed(), one.assumed.length, two.assumed.length]).toEqual([2, 0, 1, 0])
  })

  test('shares the new token with all that need one at once, on every instance', async () => {
    await during(clock, one.get())
    await during(clock, two.get())
    await clock.advance(8 * MINUTE)
    const all = Array.from({ length: 100 }, (_, i) => (i % 2 ? one : two).get(LONGEST))
    const fingerprints = (await during(clock, Promise.all(all))).map(fingerprintOf)
    expect(new Set(fingerprints).size).toBe(1)
    expect(one.signed() + two.signed()).toBe(2)
  })

  test('has one token a minute minted at most, however often and wherever it asks', async () => {
    const signedAt: number[] = []
    for (let second = 0; second < 600; second++) {
      const before = one.signed() + two.signed()
      const replies = await during(clock, Promise.all([one.get(LONGEST), two.get(LONGEST)]))
      for (const reply of replies) expect(leftOf(reply)).toBeGreaterThanOrEqual(840_000)
      if (one.signed() + two.signed() > before) signedAt.push(clock.now())
      await clock.advance(1000 - (clock.now() % 1000))
    }
    expect(signedAt.length).toBe(one.signed() + two.signed())
    expect(signedAt.length).toBeLessThanOrEqual(11)
    expect(signedAt.length).toBeGreaterThanOrEqual(10)
    for (const [i, at] of signedAt.slice(1).entries()) expect(at - (signedAt[i] ?? 0)).toBeGreaterThan(58_900)
    expect(one.assumed.length + two.assumed.length).toBeLessThanOrEqual(2)
  }, 20_000)

  test('leaves the current token to all others, who wait for nothing meanwhile', async () => {
    const first = await during(clock, one.get())
    await clock.advance(8 * MINUTE)
    const third = createInstance({ store, clock })
    third.sts.delayMs = 4000
    expect(fingerprintOf(await during(clock, third.get()))).toBe(fingerprintOf(first))
    const longer = third.get(LONGEST)
    await settle()
    expect(fingerprintOf(await third.get())).toBe(fingerprintOf(first))
    expect(fingerprintOf(await during(clock, longer))).not.toBe(fingerprintOf(first))
  })

  test('is throttled like a caller without a token, and the others go on with the current one', async () => {
    const rateLimiter = fakeRateLimiter(clock)
    const paced = createInstance({ store, clock, rateLimiter })
    const first = await during(clock, paced.get())
    await clock.advance(2 * MINUTE)
    rateLimiter.refuses = new JetonError('throttled', { publicMessage: 'too many', retryAfterMs: 3000 })
    await expect(during(clock, paced.get(LONGEST))).rejects.toBe(rateLimiter.refuses)
    expect(fingerprintOf(await paced.get())).toBe(fingerprintOf(first))
    rateLimiter.refuses = undefined
    await during(clock, paced.get(LONGEST))
    // not ahead of newcomers, for no renewal was due
    expect(rateLimiter.reserved.map(({ hasPriority, isOptional }) => [hasPriority, isOptional])).toEqual([
      [false, false],
      [false, false],
    ])
    await clock.advance(10 * MINUTE)
    await during(clock, paced.get(LONGEST))
    expect(rateLimiter.reserved.at(-1)).toMatchObject({ hasPriority: true, owner: OWNER })
  })

  test('joins nobody who gets one that ends sooner', async () => {
    await during(clock, one.get())
    await clock.advance(5 * MINUTE)
    const [shorter, longer] = await during(clock, Promise.all([two.get(), two.get(LONGEST)]))
    expect(leftOf(shorter)).toBeLessThanOrEqual(600_000)
    expect(leftOf(longer)).toBeGreaterThanOrEqual(840_000)
  })
})

describe('if the role session ends before that', () => {
  test('a new one is assumed', async () => {
    one.sts.lifeMs = 20 * MINUTE
    await during(clock, one.get())
    await clock.advance(7 * MINUTE)
    expect(leftOf(await during(clock, one.get(LONGEST)))).toBeGreaterThanOrEqual(840_000)
    expect(one.assumed).toHaveLength(2)
  })

  test('and STS is down, it signs for those alone that it lasts long enough for', async () => {
    one.sts.lifeMs = 20 * MINUTE
    const first = await during(clock, one.get())
    await clock.advance(8 * MINUTE)
    one.sts.fails = DOWN
    await expect(during(clock, one.get(LONGEST))).rejects.toBe(DOWN)
    expect(fingerprintOf(await one.get())).toBe(fingerprintOf(first))
    expect(one.signed()).toBe(1)
    const longer = await during(clock, one.get({ minimumMs: 600_000 }))
    expect(leftOf(longer)).toBeGreaterThanOrEqual(600_000)
  })

  test('and STS is down, whoever needs no longer token than it signs gets one all the same', async () => {
    one.sts.lifeMs = 26 * MINUTE
    await during(clock, one.get())
    await clock.advance(16 * MINUTE)
    one.sts.fails = DOWN
    const [longer, any] = await during(clock, Promise.all([codeOf(one.get(LONGEST)), codeOf(one.get())]))
    expect([longer, any]).toEqual(['temporarily_unavailable', 'vended'])
  })

  test('and STS makes none that lasts longer, it is refused, and STS is not asked again for a minute', async () => {
    one.sts.lifeMs = 10 * MINUTE
    const first = await during(clock, one.get())
    await clock.advance(MINUTE)
    for (let i = 0; i < 20; i++)
      expect(await codeOf(during(clock, one.get(LONGEST)))).toBe('temporarily_unavailable')
    expect([one.assumed.length, one.signed()]).toEqual([2, 1])
    const refusal = await one.get(LONGEST).catch((cause: JetonError) => cause)
    expect(refusal).toMatchObject({ publicMessage: expect.stringContaining('ask for less') })
    expect((refusal as JetonError).retryAfterMs).toBeLessThanOrEqual(60_000)
    expect(fingerprintOf(await one.get())).toBe(fingerprintOf(first))
    await clock.advance(MINUTE)
    expect(await codeOf(during(clock, one.get(LONGEST)))).toBe('temporarily_unavailable')
    expect(one.assumed).toHaveLength(3)
  })
})

test('a minimum of 300 s or less changes nothing', async () => {
  const first = await during(clock, one.get())
  while (leftOf(first) > 303_000) {
    expect(fingerprintOf(await during(clock, one.get({ minimumMs: 300_000 })))).toBe(
      fingerprintOf(await one.tokenCache.get(KEY, { owner: OWNER })),
    )
    await clock.advance(30_000)
  }
  expect(one.signed()).toBe(2)
})
