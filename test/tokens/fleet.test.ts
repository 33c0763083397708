import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { LEASE_MS } from '../../src/tokens/token-store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { eventsOf } from '../support/service/log-recorder.ts'
import { fakeRateLimiter } from './fakes.ts'
import {
  createInstance,
  during,
  type Instance,
  KEY,
  MINUTE,
  OWNER,
  ownerOf,
  principalKeys,
  requestOf,
} from './instances.ts'

const GONE = new JetonError('temporarily_unavailable', { publicMessage: 'the store is gone' })
const ROLE_REFUSED = new JetonError('role_refused', { publicMessage: 'no' })

let clock: VirtualClock
let store: Store
let a: Instance
let b: Instance
let c: Instance

beforeEach(() => {
  clock = virtualClock()
  store = createMemoryStore(clock)
  a = createInstance({ store, clock })
  b = createInstance({ store, clock })
  c = createInstance({ store, clock })
})

const total = (count: (one: Instance) => number) => [a, b, c].map(count).reduce((sum, n) => sum + n)
const storeCalls = (one: Instance) => one.calls.read + one.calls.swap

describe('three instances on one store', () => {
  test('mint one token for 300 callers at once, with one AssumeRole and one signature', async () => {
    for (const one of [a, b, c]) one.sts.delayMs = 120
    const requests = Array.from({ length: 300 }, (_, i) => ([a, b, c][i % 3] as Instance).get())
    const all = await during(clock, Promise.all(requests))
    expect(new Set(all.map(({ token }) => token.text)).size).toBe(1)
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1)
    expect([total(({ assumed }) => assumed.length), total(one => one.signed())]).toEqual([1, 1])
    // one reads and leases, the others poll, but far from 200 times
    expect(total(storeCalls)).toBeLessThan(40)
  })

  test('make no call to the store while their token is fresh', async () => {
    await a.get()
    await b.get()
    const before = [a, b].map(storeCalls)
    await clock.advance(8 * MINUTE)
    for (let i = 0; i < 50; i++) expect((await (i % 2 ? a : b).get()).cached).toBe(true)
    expect([a, b].map(storeCalls)).toEqual(before)
  })

  test('renew a token once: the others keep the old one, then use the new one', async () => {
    const old = await a.get()
    for (const one of [b, c]) await one.get()
    await clock.advance(9 * MINUTE)
    a.sts.delayMs = b.sts.delayMs = 300
    expect((await b.get()).token.text).toBe(old.token.text)
    const renewed = await during(clock, a.get())
    expect([renewed.cached, renewed.token.text === old.token.text]).toEqual([false, false])
    await clock.advance(2000)
    const after = [await b.get(), await c.get()]
    expect(after.map(({ token, cached }) => [token.text, cached])).toEqual(
      after.map(() => [renewed.token.text, true]),
    )
    expect([a, b, c].map(({ assumed }) => assumed.length)).toEqual([1, 0, 0])
  })

  test('renew a token although the instance that minted it is gone', async () => {
    const old = await a.get()
    await b.get()
    await clock.advance(9 * MINUTE)
    const texts = new Set<string>()
    for (let seconds = 0; seconds < 20; seconds++) {
      texts.add((await b.get()).token.text)
      await clock.advance(1000)
    }
    expect([texts.size, b.assumed.length]).toEqual([2, 1])
    expect(texts).toContain(old.token.text)
  })

  test('replace a rejected token once, whichever instances it is reported to', async () => {
    const first = await a.get()
    await b.get()
    await clock.advance(10_000)
    const { fingerprint: rejectedFingerprint } = first.token
    const [second, again] = await during(
      clock,
      Promise.all([a.get({ rejectedFingerprint }), b.get({ rejectedFingerprint })]),
    )
    expect(second.token.text).not.toBe(first.token.text)
    expect(again.token.text).toBe(second.token.text)
    expect(total(one => one.signed())).toBe(2)
    // c has never had the token; a rejected replacement is replaced after 20 s, with a new role session
    await clock.advance(20_000)
    const sessions = total(({ assumed }) => assumed.length)
    const third = await during(clock, c.get({ rejectedFingerprint: second.token.fingerprint }))
    expect(third.token.text).not.toBe(second.token.text)
    expect(total(({ assumed }) => assumed.length)).toBe(sessions + 1)
  })

  test('find out that the rejected token is the successor of the one they have', async () => {
    await a.get()
    await b.get()
    await clock.advance(9 * MINUTE)
    const second = await a.get()
    await clock.advance(10_000)
    const third = await during(clock, b.get({ rejectedFingerprint: second.token.fingerprint }))
    expect(third.token.issuedAt).toBeGreaterThan(second.token.issuedAt)
  })

  test('share the slots: together they deliver no more than one may', async () => {
    const keys = principalKeys(90)
    const times: number[] = []
    const requests = keys.map((key, i) =>
      ([a, b, c][i % 3] as Instance).get({ key, owner: ownerOf(key, `grant-${i % 2}`) }).then(
        () => times.push(clock.now()),
        () => {},
      ),
    )
    await during(clock, Promise.all(requests))
    // two grants have a third of the 77 slots within 5 s each
    expect(times.length).toBe(52)
    for (const from of times)
      expect(times.filter(time => time >= from && time < from + 1000).length).toBeLessThanOrEqual(16)
  })
})

test('keys requested on every instance at once take one slot each, so that no request is throttled', async () => {
  const keys = principalKeys(36)
  const requests = keys.flatMap(key => [a, b, c].map(one => one.get({ key })))
  const all = await during(clock, Promise.all(requests))
  expect(new Set(all.map(({ token }) => token.text)).size).toBe(36)
  expect(total(one => one.signed())).toBe(36)
})

test('a renewal that finds no slot does not read the store for every request', async () => {
  await a.get()
  await clock.advance(9 * MINUTE)
  for (const key of principalKeys(100)) b.get({ key }).catch(() => {})
  await clock.advance(100)
  const before = storeCalls(a)
  for (let i = 0; i < 100; i++) expect((await during(clock, a.get())).token.text).not.toBe('')
  expect(storeCalls(a) - before).toBeLessThan(20)
})

test('renewals work while STS is slow: an instance with a role session is ready at once', async () => {
  a.sts.delayMs = 600
  const keys = principalKeys(8)
  await during(clock, Promise.all(keys.map(key => a.get({ key }))))
  await clock.advance(9.2 * MINUTE)
  const signed = a.signed()
  for (let i = 0; i < 20; i++) {
    for (const key of keys) await during(clock, a.get({ key }))
    await clock.advance(500)
  }
  expect(a.signed() - signed).toBe(8)
})

test('a request that joins a flight and reports its very token as rejected gets another', async () => {
  const { token } = await a.get()
  await clock.advance(10_000)
  const { fingerprint: rejectedFingerprint } = token
  const [first, joined] = await during(clock, Promise.all([b.get(), b.get({ rejectedFingerprint })]))
  expect(first.token.text).toBe(token.text)
  expect(joined.token.text).not.toBe(token.text)
})

test('an instance whose audit log fails releases the lease: the others do not wait for it', async () => {
  const delivery = await a.tokenCache.get(KEY, requestOf(KEY))
  delivery.cancel()
  await clock.advance(0)
  const before = clock.now()
  const other = await during(clock, b.get())
  expect([other.cached, clock.now() - before < 1000]).toEqual([false, true])
  // it drops what it minted with its next read of the store
  await clock.advance(1000)
  expect((await during(clock, a.get())).token.expiresAt).toBeGreaterThan(clock.now())
})

describe('the lease', () => {
  test('of an instance that dies ends, and another instance takes over then', async () => {
    const started = clock.now()
    await during(clock, a.tokenCache.get(KEY, requestOf(KEY)))
    const taken = await during(clock, b.get())
    expect(taken.cached).toBe(false)
    expect(clock.now() - started).toBeGreaterThan(LEASE_MS - 1000)
    expect(clock.now() - started).toBeLessThanOrEqual(LEASE_MS + 1000)
  })

  test('that was lost does not let its holder replace the newer token', async () => {
    const rateLimiter = fakeRateLimiter(clock)
    rateLimiter.nextSlotMs = LEASE_MS + 4000
    const slow = createInstance({ store, clock, rateLimiter })
    const late = slow.get()
    await clock.advance(10)
    const taken = await during(clock, b.get())
    expect((await during(clock, late)).token.text).toBe(taken.token.text)
    expect((await slow.get()).token.text).toBe(taken.token.text)
    expect((await during(clock, c.get())).token.text).toBe(taken.token.text)
  })

  test('is kept if the reply of the store was lost', async () => {
    const lossy: Store = {
      read: key => store.read(key),
      async compareAndSwap(change) {
        const version = await store.compareAndSwap(change)
        if (change.key.startsWith('token/') && losses-- > 0) throw GONE
        return version
      },
    }
    let losses = 1
    const one = createInstance({ store: lossy, clock })
    await expect(during(clock, one.get())).rejects.toBe(GONE)
    const before = clock.now()
    expect((await during(clock, one.get())).cached).toBe(false)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  test('is released after 5 s if STS is slow, and the session that STS returns later serves who comes back', async () => {
    a.sts.delayMs = 9000
    const started = clock.now()
    await expect(during(clock, a.get())).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(clock.now() - started).toBeLessThanOrEqual(5200)
    await clock.advance(1000)
    const delivery = await during(clock, a.get())
    expect([delivery.cached, a.assumed.length]).toEqual([false, 1])
    expect(clock.now() - started).toBeLessThan(11_000)
    expect((await during(clock, b.get())).token.text).toBe(delivery.token.text)
  })

  test('is free for another instance while the call of the first to a slow STS goes on', async () => {
    a.sts.delayMs = 9000
    await expect(during(clock, a.get())).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    const before = clock.now()
    expect((await during(clock, b.get())).cached).toBe(false)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  test('is released if the role is refused, so that the others do not wait for it', async () => {
    a.sts.fails = ROLE_REFUSED
    await expect(a.get()).rejects.toBe(ROLE_REFUSED)
    await clock.advance(0)
    const before = clock.now()
    expect((await during(clock, b.get())).cached).toBe(false)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  test('that ended before the delivery leaves the token that another has minted meanwhile as it is', async () => {
    const delivery = await a.tokenCache.get(KEY, requestOf(KEY))
    await clock.advance(LEASE_MS)
    const taken = await during(clock, b.get())
    await during(clock, delivery.deliver(OWNER))
    await clock.advance(0)
    expect(taken.token.text).not.toBe(delivery.token.text)
    for (const one of [a, b, c]) expect((await during(clock, one.get())).token.text).toBe(taken.token.text)
  })

  test('that ended before the delivery is taken again if no other instance has minted', async () => {
    const delivery = await a.tokenCache.get(KEY, requestOf(KEY))
    await clock.advance(LEASE_MS)
    await during(clock, delivery.deliver(OWNER))
    await clock.advance(0)
    expect((await during(clock, b.get())).token.text).toBe(delivery.token.text)
  })

  test('hides a token that has not been delivered yet from the other instances', async () => {
    const delivery = await a.tokenCache.get(KEY, requestOf(KEY))
    const other = b.get()
    await clock.advance(3000)
    await during(clock, delivery.deliver(OWNER))
    const obtained = await during(clock, other)
    expect([obtained.token.text, obtained.cached]).toEqual([delivery.token.text, true])
  })

  test('by a clock that is minutes ahead is ignored', async () => {
    const ahead = { ...clock, now: () => clock.now() + 10 * MINUTE }
    const wrong = createInstance({ store, clock: ahead })
    wrong.sts.delayMs = 100 * MINUTE
    void wrong.get().catch(() => {})
    await clock.advance(10)
    const before = clock.now()
    await during(clock, b.get())
    expect(clock.now() - before).toBeLessThan(1000)
  })
})

describe('a store that cannot be reached', () => {
  test('leaves cached tokens in use while they can be vended; other requests fail', async () => {
    const old = await a.get()
    a.store.fails = GONE
    await clock.advance(9.5 * MINUTE)
    for (let i = 0; i < 20; i++) expect((await a.get()).token.text).toBe(old.token.text)
    await expect(a.get({ key: tokenKey({ database: ORDERS, user: 'app_ro' }) })).rejects.toBe(GONE)
    await clock.advance(MINUTE)
    await expect(a.get()).rejects.toBe(GONE)
    a.store.fails = undefined
    expect((await a.get()).cached).toBe(false)
  })

  test('is not read again by every request that could renew', async () => {
    await a.get()
    a.store.fails = GONE
    await clock.advance(9 * MINUTE)
    const before = storeCalls(a)
    for (let i = 0; i < 20; i++) await a.get()
    expect(storeCalls(a)).toBe(before + 1)
    expect(eventsOf(a.log)).toContain('renewal_failed')
  })

  test('does not fail a delivery: the caller has its token, and the log says that it is not shared', async () => {
    const delivery = await a.tokenCache.get(KEY, requestOf(KEY))
    a.store.fails = GONE
    await delivery.deliver(OWNER)
    await clock.advance(0)
    expect(eventsOf(a.log)).toContain('token_not_shared')
    a.store.fails = undefined
    expect((await a.get()).token.text).toBe(delivery.token.text)
  })
})

describe('a record of another release', () => {
  const put = (record: object) =>
    store.compareAndSwap({
      key: `token/${KEY.id}`,
      bytes: Buffer.from(JSON.stringify(record)),
      expectedVersion: 'absent',
      expiresAt: clock.now() + 15 * MINUTE,
    })

  test('with members that this release does not know is used', async () => {
    const { token } = await a.get()
    const stored = await store.read(`token/${KEY.id}`)
    const record = JSON.parse(Buffer.from(stored?.bytes ?? []).toString())
    const bytes = Buffer.from(JSON.stringify({ ...record, more: 1 }))
    const { expiresAt } = token
    await store.compareAndSwap({
      key: `token/${KEY.id}`,
      bytes,
      expectedVersion: stored?.version ?? '',
      expiresAt,
    })
    expect((await b.get()).token.text).toBe(token.text)
  })

  test('that cannot be read is left alone until its keepUntil, then replaced', async () => {
    await put({ v: 2, keepUntil: clock.now() + LEASE_MS })
    await expect(a.get()).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      reason: expect.stringContaining('a newer release wrote it'),
    })
    await clock.advance(LEASE_MS)
    expect((await a.get()).cached).toBe(false)
  })
})

test('requests that are throttled again and again cost no call to the store', async () => {
  const keys = principalKeys(100)
  for (const key of keys) a.get({ key }).catch(() => {})
  await clock.advance(0)
  const late = keys.at(-1)
  const before = storeCalls(a)
  for (let i = 0; i < 50; i++)
    await expect(a.get({ ...(late && { key: late }) })).rejects.toMatchObject({ code: 'throttled' })
  expect(storeCalls(a)).toBe(before)
})
