import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { eventsOf } from '../support/service/log-recorder.ts'
import { createInstance, type Instance, KEY, MINUTE, principalKeys, requestOf } from './instances.ts'

const UNREACHABLE = new JetonError('temporarily_unavailable', { publicMessage: 'STS is gone' })
const ROLE_REFUSED = new JetonError('role_refused', { publicMessage: 'no' })

let clock: VirtualClock
let instance: Instance

beforeEach(() => {
  clock = virtualClock()
  instance = createInstance({ store: createMemoryStore(clock), clock })
})

/** Gets a token and delivers it, without letting time go by. */
async function get(): Promise<TokenDelivery> {
  const delivery = instance.get()
  delivery.catch(() => {})
  await clock.advance(0)
  return delivery
}

describe('a renewal by the token cache', () => {
  test('is done by one request from refreshAfter on, while all others get the old token', async () => {
    const old = await get()
    await clock.advance(9 * MINUTE)
    const requests = Array.from({ length: 50 }, () => instance.tokenCache.get(KEY, requestOf(KEY)))
    await clock.advance(0)
    const deliveries = await Promise.all(requests)
    const renewed = deliveries.filter(({ cached }) => !cached)
    expect(renewed).toHaveLength(1)
    expect(deliveries.filter(({ token }) => token === old.token)).toHaveLength(49)
    expect((await get()).token).toBe(renewed[0]?.token)
    expect([instance.assumed.length, instance.signed()]).toEqual([1, 2])
  })

  test('waits for STS no longer than 250 ms: then the old token is served while the role session is renewed', async () => {
    const first = await get()
    for (let minutes = 0; minutes < 44; minutes += 4) {
      await clock.advance(4 * MINUTE)
      await get()
    }
    expect(instance.assumed).toHaveLength(1)
    await clock.advance(1.5 * MINUTE)
    instance.sts.delayMs = 3000
    const renewing = get()
    const meanwhile = await Promise.all(Array.from({ length: 20 }, () => get()))
    expect(meanwhile.every(({ cached }) => cached)).toBe(true)
    await clock.advance(250)
    expect([(await renewing).token, instance.assumed.length]).toEqual([meanwhile[0]?.token, 2])
    await clock.advance(3000)
    const after = await get()
    expect([after.cached, instance.assumed.length]).toEqual([false, 2])
    expect(after.token.issuedAt).toBeGreaterThan(first.token.issuedAt)
  })

  test('works during an outage of STS while a role session is fit to sign', async () => {
    const old = await get()
    instance.sts.fails = UNREACHABLE
    await clock.advance(9 * MINUTE)
    const renewed = await get()
    expect(renewed.token.issuedAt).toBeGreaterThan(old.token.issuedAt)
  })

  test('during an outage of STS uses what is left, tells the truth about it, and recovers by itself', async () => {
    instance.sts.lifeMs = 20 * MINUTE
    await get()
    instance.sts.fails = UNREACHABLE
    await clock.advance(9 * MINUTE)
    // 11 minutes are left of the role session: it is not renewed, but signs once the old token is of no use
    expect((await get()).cached).toBe(true)
    await clock.advance(1.5 * MINUTE)
    const short = await get()
    expect([short.cached, short.token.expiresAt - clock.now()]).toEqual([false, 9.5 * MINUTE])
    await clock.advance(4.5 * MINUTE)
    await expect(get()).rejects.toBe(UNREACHABLE)
    instance.sts.fails = undefined
    expect((await get()).cached).toBe(false)
  })

  test('does not sign with an old role session once AWS refuses the role', async () => {
    instance.sts.lifeMs = 20 * MINUTE
    await get()
    instance.sts.fails = ROLE_REFUSED
    await clock.advance(11 * MINUTE)
    await expect(get()).rejects.toBe(ROLE_REFUSED)
  })

  test('that fails is logged and not tried again for 10 s', async () => {
    instance.sts.lifeMs = 20 * MINUTE
    await get()
    instance.sts.fails = UNREACHABLE
    await clock.advance(9 * MINUTE)
    await get()
    await get()
    expect(instance.assumed).toHaveLength(2)
    await clock.advance(10_000)
    await get()
    expect(instance.assumed).toHaveLength(3)
    expect(eventsOf(instance.log)).toContain('renewal_failed')
  })

  test('gets its slot although newcomers flood the database', async () => {
    await get()
    await clock.advance(9 * MINUTE)
    for (const key of principalKeys(1000)) instance.tokenCache.get(key, requestOf(key)).catch(() => {})
    await clock.advance(200)
    const renewing = instance.tokenCache.get(KEY, requestOf(KEY))
    await clock.advance(250)
    expect((await renewing).cached).toBe(false)
  })
})
