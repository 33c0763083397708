import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { TokenCache } from '../../src/tokens/token-cache.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { createInstance, type Instance, KEY, MINUTE, OWNER, principalKeys, requestOf } from './instances.ts'

const ROLE_REFUSED = new JetonError('role_refused', { publicMessage: 'no' })

let clock: VirtualClock
let instance: Instance
let tokenCache: TokenCache

beforeEach(() => {
  clock = virtualClock()
  instance = createInstance({ store: createMemoryStore(clock), clock })
  tokenCache = instance.tokenCache
})

/** Gets a token and delivers it, without letting time go by. */
async function get(rejectedFingerprint?: string): Promise<TokenDelivery> {
  const delivery = tokenCache.get(KEY, requestOf(KEY, rejectedFingerprint))
  delivery.catch(() => {})
  await clock.advance(0)
  await (await delivery).deliver(OWNER)
  return delivery
}

describe('one token', () => {
  test('is minted once for all concurrent requests with the same key', async () => {
    const all = await Promise.all(Array.from({ length: 600 }, () => tokenCache.get(KEY, requestOf(KEY))))
    expect(new Set(all.map(({ token }) => token.text)).size).toBe(1)
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1)
    expect([instance.assumed.length, instance.signed()]).toEqual([1, 1])
  })

  test('is served from the cache until refreshAfter', async () => {
    const first = await get()
    await clock.advance(9 * MINUTE - 1)
    const later = await get()
    expect([first.cached, later.cached]).toEqual([false, true])
    expect(later.token).toBe(first.token)
  })
})

describe('recall', () => {
  test('returns a token once it is delivered, and never one that is not', async () => {
    expect(tokenCache.recall(KEY, {})).toBeUndefined()
    const delivery = tokenCache.get(KEY, requestOf(KEY))
    await clock.advance(0)
    const { token, deliver } = await delivery
    expect(tokenCache.recall(KEY, {})).toBeUndefined()
    await deliver(OWNER)
    expect(tokenCache.recall(KEY, {})).toBe(token)
  })

  test('leaves a token that is due for renewal, or too short, to get', async () => {
    await get()
    expect(tokenCache.recall(KEY, { minimumMs: 14 * MINUTE })).toBeDefined()
    await clock.advance(9 * MINUTE - 1)
    expect(tokenCache.recall(KEY, {})).toBeDefined()
    expect(tokenCache.recall(KEY, { minimumMs: 7 * MINUTE })).toBeUndefined()
    await clock.advance(1)
    expect(tokenCache.recall(KEY, {})).toBeUndefined()
    expect([instance.assumed.length, instance.signed()]).toEqual([1, 1])
  })
})

describe('a role session', () => {
  test('with less than 15 minutes left is renewed before it signs', async () => {
    await get()
    await clock.advance(46 * MINUTE)
    const { token } = await get()
    expect(instance.assumed).toHaveLength(2)
    expect(token.expiresAt - token.issuedAt).toBe(15 * MINUTE)
  })

  test('that STS makes shorter signs a token that ends with it', async () => {
    instance.sts.lifeMs = 8 * MINUTE
    const { token } = await get()
    expect(token.expiresAt).toBe(clock.now() + 8 * MINUTE)
    expect(token.refreshAfter).toBe(clock.now() + 2 * MINUTE)
  })

  test('of under 5 minutes yields no token', async () => {
    instance.sts.lifeMs = 5 * MINUTE
    await expect(get()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  test('that AWS refuses is requested once, and all requests that wait are refused', async () => {
    instance.sts.fails = ROLE_REFUSED
    const requests = Array.from({ length: 100 }, () => tokenCache.get(KEY, requestOf(KEY)))
    const outcomes = await Promise.allSettled(requests)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(new Set(outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason))).toEqual(
      new Set([ROLE_REFUSED]),
    )
    expect(instance.assumed).toHaveLength(1)
  })
})

describe('a token that the database rejected', () => {
  test('is replaced once, however many requests report it', async () => {
    const { token } = await get()
    await clock.advance(10_000)
    const requests = Array.from({ length: 1000 }, () =>
      tokenCache.get(KEY, requestOf(KEY, token.fingerprint)),
    )
    await clock.advance(0)
    const deliveries = await Promise.all(requests)
    expect(new Set(deliveries.map(delivery => delivery.token.text)).size).toBe(1)
    expect(deliveries[0]?.token.text).not.toBe(token.text)
    expect([instance.assumed.length, instance.signed()]).toEqual([1, 2])
    await clock.advance(10_000)
    expect((await get(token.fingerprint)).token).toBe(deliveries[0]?.token)
    expect(instance.signed()).toBe(2)
  })

  test('and whose replacement is rejected too is replaced with a new role session', async () => {
    const first = await get()
    await clock.advance(10_000)
    const second = await get(first.token.fingerprint)
    expect(instance.assumed).toHaveLength(1)
    await clock.advance(20_000)
    const third = await get(second.token.fingerprint)
    expect(instance.assumed).toHaveLength(2)
    expect(third.token.text).not.toBe(second.token.text)
  })

  test('is replaced after 10 s, and each successor that is reported too after twice as long', async () => {
    const start = clock.now()
    let { token } = await get()
    const refusals: JetonError[] = []
    const mintedAt = new Set([token.issuedAt - start])
    for (let step = 0; step < 2400; step++) {
      void tokenCache.get(KEY, requestOf(KEY, token.fingerprint)).then(
        delivery => {
          token = delivery.token
          mintedAt.add(token.issuedAt - start)
        },
        cause => refusals.push(cause),
      )
      await clock.advance(500)
    }
    expect([...mintedAt].map(ms => ms / 1000)).toEqual([0, 10, 30, 70, 150, 310, 630])
    // the first replacement signs with the same role session, and each further one with a new one
    expect(instance.assumed).toHaveLength(6)
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['throttled']))
    expect(refusals.at(-1)).toMatchObject({
      retryAfterMs: 30_500,
      reason: expect.stringContaining('10 minutes'),
    })
  })

  test('is replaced after 10 s again once a token was renewed as usual', async () => {
    let { token } = await get()
    for (const pauseMs of [10_000, 20_000]) {
      await clock.advance(pauseMs)
      token = (await get(token.fingerprint)).token
    }
    await clock.advance(9 * MINUTE)
    const renewed = await get()
    expect(renewed.token.text).not.toBe(token.text)
    await clock.advance(10_000)
    expect((await get(renewed.token.fingerprint)).token.text).not.toBe(renewed.token.text)
  })

  test('is not replaced if it is not the current one', async () => {
    const { token } = await get()
    await clock.advance(10_000)
    expect((await get('0'.repeat(64))).token).toBe(token)
    expect(instance.signed()).toBe(1)
  })

  test('is reported during a renewal that finds a slot: the report gets the renewed token', async () => {
    const { token } = await get()
    await clock.advance(9 * MINUTE)
    for (const key of principalKeys(60)) tokenCache.get(key, requestOf(key)).catch(() => {})
    await clock.advance(1000)
    const renewing = tokenCache.get(KEY, requestOf(KEY))
    const reporting = tokenCache.get(KEY, requestOf(KEY, token.fingerprint))
    await clock.advance(150)
    expect((await renewing).cached).toBe(false)
    expect(await reporting).toMatchObject({ token: (await renewing).token, cached: true })
  })

  test('is reported during a renewal that finds no slot: the report is served all the same', async () => {
    const { token } = await get()
    await clock.advance(9 * MINUTE)
    for (const key of principalKeys(60)) tokenCache.get(key, requestOf(key)).catch(() => {})
    const renewing = tokenCache.get(KEY, requestOf(KEY))
    const reporting = tokenCache.get(KEY, requestOf(KEY, token.fingerprint))
    await clock.advance(6000)
    await renewing
    expect((await reporting).token.text).not.toBe(token.text)
  })
})

describe('a delivery', () => {
  /** Returns a function that says when the delivery has ended. */
  async function deliveredAt(delivery: TokenDelivery) {
    let at: number | undefined
    void delivery.deliver(OWNER).then(() => {
      at = clock.now()
    })
    await clock.advance(0)
    return () => at
  }

  test('is immediate if the audit record was written in time', async () => {
    expect((await deliveredAt(await tokenCache.get(KEY, requestOf(KEY))))()).toBe(clock.now())
  })

  test('is immediate for a token that was delivered before', async () => {
    await get()
    await clock.advance(5 * MINUTE)
    expect((await deliveredAt(await tokenCache.get(KEY, requestOf(KEY))))()).toBe(clock.now())
  })

  test('takes another slot if the audit record took long, one for all requests with the same token', async () => {
    const requests = principalKeys(16).flatMap(key => [
      tokenCache.get(key, requestOf(key)),
      tokenCache.get(key, requestOf(key)),
    ])
    await clock.advance(1000)
    const deliveries = await Promise.all(requests)
    await clock.advance(1000)
    const times: number[] = []
    for (const delivery of deliveries) void delivery.deliver(OWNER).then(() => times.push(clock.now()))
    await clock.advance(0)
    expect(times.length).toBeLessThanOrEqual(2)
    await clock.advance(2000)
    expect(times).toHaveLength(32)
    expect(new Set(times).size).toBe(16)
  })
})

describe('slots for new tokens', () => {
  test('that are too far off throttle a request, without a call to STS', async () => {
    const outcomes = Promise.allSettled(principalKeys(500).map(key => tokenCache.get(key, requestOf(key))))
    await clock.advance(6000)
    const throttled = (await outcomes).filter(outcome => outcome.status === 'rejected')
    expect(throttled.every(({ reason }) => reason.code === 'throttled' && reason.retryAfterMs > 0)).toBe(true)
    expect(instance.assumed).toHaveLength(500 - throttled.length)
    expect(instance.signed()).toBe(39)
  })

  test('go to reports of rejected tokens no sooner than to newcomers', async () => {
    const keys = principalKeys(36)
    const first = keys.map(key => tokenCache.get(key, requestOf(key)))
    await clock.advance(5000)
    const tokens = await Promise.all(first.map(async delivery => (await delivery).token))
    await clock.advance(20_000)
    let served = 0
    const newcomers = Array.from({ length: 20 }, (_, i) => tokenKey({ database: ORDERS, user: `new${i}` }))
    for (const key of newcomers) void tokenCache.get(key, requestOf(key)).then(() => served++)
    for (const [i, key] of keys.entries())
      tokenCache.get(key, requestOf(key, tokens[i]?.fingerprint)).catch(() => {})
    await clock.advance(20 * 65)
    expect(served).toBe(20)
  })
})
