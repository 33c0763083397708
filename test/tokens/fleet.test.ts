import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { LEASE_MS } from '../../src/tokens/token-store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { during, type Instance, instance, KEY, MINUTE } from './instances.ts'

const GONE = new JetonError('temporarily_unavailable', { publicMessage: 'the store is gone' })
const REFUSED = new JetonError('role_refused', { publicMessage: 'no' })

let clock: VirtualClock
let store: Store
let a: Instance
let b: Instance
let c: Instance

beforeEach(() => {
  clock = virtualClock()
  store = createMemoryStore(clock)
  a = instance({ store, clock })
  b = instance({ store, clock })
  c = instance({ store, clock })
})

const total = (count: (one: Instance) => number) => [a, b, c].map(count).reduce((sum, n) => sum + n)
const storeCalls = (one: Instance) => one.calls.read + one.calls.swap

describe('three instances on one store', () => {
  test('mint one token for 300 callers at once, with one AssumeRole and one signature', async () => {
    for (const one of [a, b, c]) one.sts.delayMs = 120
    const asked = Array.from({ length: 300 }, (_, i) => ([a, b, c][i % 3] as Instance).get())
    const all = await during(clock, Promise.all(asked))
    expect(new Set(all.map(({ token }) => token.text)).size).toBe(1)
    expect(all.filter(({ cached }) => !cached)).toHaveLength(1)
    expect([total(({ assumed }) => assumed.length), total(one => one.signed())]).toEqual([1, 1])
    // one looks and leases, the others look again and again, but not 200 times
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

  test('renew it by one, while the others go on with the old one, then with the new one', async () => {
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

  test('renew it though who minted it is gone', async () => {
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

  test('answer a report of a refused token, wherever it comes from, with one successor', async () => {
    const first = await a.get()
    await b.get()
    await clock.advance(10_000)
    const { fingerprint: refused } = first.token
    const [second, again] = await during(clock, Promise.all([a.get({ refused }), b.get({ refused })]))
    expect(second.token.text).not.toBe(first.token.text)
    expect(again.token.text).toBe(second.token.text)
    expect(total(one => one.signed())).toBe(2)
    // c has never seen the token; the successor of a refused one gets a new role session
    await clock.advance(10_000)
    const sessions = total(({ assumed }) => assumed.length)
    const third = await during(clock, c.get({ refused: second.token.fingerprint }))
    expect(third.token.text).not.toBe(second.token.text)
    expect(total(({ assumed }) => assumed.length)).toBe(sessions + 1)
  })

  test('find out that what was refused is the successor of what they have', async () => {
    await a.get()
    await b.get()
    await clock.advance(9 * MINUTE)
    const second = await a.get()
    await clock.advance(10_000)
    const third = await during(clock, b.get({ refused: second.token.fingerprint }))
    expect(third.token.issuedAt).toBeGreaterThan(second.token.issuedAt)
  })

  test('share the turns: what one has handed out, the others do not hand out on top', async () => {
    const keys = Array.from({ length: 90 }, (_, i) =>
      tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
    )
    const times: number[] = []
    const asked = keys.map((key, i) =>
      ([a, b, c][i % 3] as Instance).get({ key }).then(
        () => times.push(clock.now()),
        () => {},
      ),
    )
    await during(clock, Promise.all(asked))
    expect(times.length).toBeGreaterThan(70)
    for (const from of times)
      expect(times.filter(time => time >= from && time < from + 1000).length).toBeLessThanOrEqual(16)
  })
})

test('keys wanted on every instance at once take one turn each: all are served, and nobody else is throttled', async () => {
  const keys = Array.from({ length: 60 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  const asked = keys.flatMap(key => [a, b, c].map(one => one.get({ key })))
  const all = await during(clock, Promise.all(asked))
  expect(new Set(all.map(({ token }) => token.text)).size).toBe(60)
  expect(total(one => one.signed())).toBe(60)
})

test('a renewal that finds no turn does not look at the store for every request', async () => {
  await a.get()
  await clock.advance(9 * MINUTE)
  const flood = Array.from({ length: 100 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  for (const key of flood) b.get({ key }).catch(() => {})
  await clock.advance(100)
  const before = storeCalls(a)
  for (let i = 0; i < 100; i++) expect((await during(clock, a.get())).token.text).not.toBe('')
  expect(storeCalls(a) - before).toBeLessThan(20)
})

test('renewals go on where STS takes long: who has a role session is ready at once', async () => {
  a.sts.delayMs = 600
  const keys = Array.from({ length: 8 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  await during(clock, Promise.all(keys.map(key => a.get({ key }))))
  await clock.advance(9.2 * MINUTE)
  const signed = a.signed()
  for (let i = 0; i < 20; i++) {
    for (const key of keys) await during(clock, a.get({ key }))
    await clock.advance(500)
  }
  expect(a.signed() - signed).toBe(8)
})

test('who joins a flight with the very token that it brings as refused gets another', async () => {
  const { token } = await a.get()
  await clock.advance(10_000)
  const { fingerprint: refused } = token
  const [first, joined] = await during(clock, Promise.all([b.get(), b.get({ refused })]))
  expect(first.token.text).toBe(token.text)
  expect(joined.token.text).not.toBe(token.text)
})

test('an instance whose audit log fails gives the lease back: others need not wait for it', async () => {
  const held = await a.tokenCache.get(KEY, {})
  held.cancel()
  await clock.advance(0)
  const before = clock.now()
  const other = await during(clock, b.get())
  expect([other.cached, clock.now() - before < 1000]).toEqual([false, true])
  // what it had minted is forgotten as soon as it looks
  await clock.advance(1000)
  expect((await during(clock, a.get())).token.expiresAt).toBeGreaterThan(clock.now())
})

describe('the lease', () => {
  test('is lost by a holder that dies, and another takes over within it', async () => {
    a.sts.delayMs = 100 * MINUTE
    void a.get().catch(() => {})
    await clock.advance(10)
    const started = clock.now()
    const taken = await during(clock, b.get())
    expect(taken.cached).toBe(false)
    expect(clock.now() - started).toBeGreaterThan(LEASE_MS - 1000)
    expect(clock.now() - started).toBeLessThanOrEqual(LEASE_MS + 1000)
  })

  test('that was lost lets nobody replace the newer token', async () => {
    a.sts.delayMs = LEASE_MS + 4000
    const late = a.get()
    await clock.advance(10)
    const taken = await during(clock, b.get())
    expect((await during(clock, late)).token.text).toBe(taken.token.text)
    expect((await a.get()).token.text).toBe(taken.token.text)
    expect((await during(clock, c.get())).token.text).toBe(taken.token.text)
  })

  test('whose reply was lost is kept', async () => {
    const lossy: Store = {
      read: key => store.read(key),
      async compareAndSwap(change) {
        const swapped = await store.compareAndSwap(change)
        if (change.key.startsWith('token/') && losses-- > 0) throw GONE
        return swapped
      },
    }
    let losses = 1
    const one = instance({ store: lossy, clock })
    await expect(during(clock, one.get())).rejects.toBe(GONE)
    const before = clock.now()
    expect((await during(clock, one.get())).cached).toBe(false)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  test('is given back by a holder whose role is refused, so that nobody waits for it', async () => {
    a.sts.fails = REFUSED
    await expect(a.get()).rejects.toBe(REFUSED)
    await clock.advance(0)
    const before = clock.now()
    expect((await during(clock, b.get())).cached).toBe(false)
    expect(clock.now() - before).toBeLessThan(1000)
  })

  test('that ended before the token left: what another has minted meanwhile is what counts', async () => {
    const held = await a.tokenCache.get(KEY, {})
    await clock.advance(LEASE_MS)
    const taken = await during(clock, b.get())
    await during(clock, held.deliver())
    await clock.advance(0)
    expect(taken.token.text).not.toBe(held.token.text)
    for (const one of [a, b, c]) expect((await during(clock, one.get())).token.text).toBe(taken.token.text)
  })

  test('that ended before the token left is taken anew where nobody wanted it', async () => {
    const held = await a.tokenCache.get(KEY, {})
    await clock.advance(LEASE_MS)
    await during(clock, held.deliver())
    await clock.advance(0)
    expect((await during(clock, b.get())).token.text).toBe(held.token.text)
  })

  test('of a token that has not left yet hides it: nobody else hands it out late', async () => {
    const held = await a.tokenCache.get(KEY, {})
    const other = b.get()
    await clock.advance(3000)
    await during(clock, held.deliver())
    const seen = await during(clock, other)
    expect([seen.token.text, seen.cached]).toEqual([held.token.text, true])
  })

  test('by a clock that is minutes ahead binds nobody', async () => {
    const ahead = { ...clock, now: () => clock.now() + 10 * MINUTE }
    const wrong = instance({ store, clock: ahead })
    wrong.sts.delayMs = 100 * MINUTE
    void wrong.get().catch(() => {})
    await clock.advance(10)
    const before = clock.now()
    await during(clock, b.get())
    expect(clock.now() - before).toBeLessThan(1000)
  })
})

describe('a store that is gone', () => {
  test('leaves what is cached in use until it can be vended no more; what is not gets the failure', async () => {
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

  test('is not asked again for each request that could renew', async () => {
    await a.get()
    a.store.fails = GONE
    await clock.advance(9 * MINUTE)
    const before = storeCalls(a)
    for (let i = 0; i < 20; i++) await a.get()
    expect(storeCalls(a)).toBe(before + 1)
    expect(a.log.lines.map(({ fields }) => fields.event)).toContain('renewal_failed')
  })

  test('between hand-out and sharing: the caller has its token, and the log says it is not shared', async () => {
    const held = await a.tokenCache.get(KEY, {})
    a.store.fails = GONE
    await held.deliver()
    await clock.advance(0)
    expect(a.log.lines.map(({ fields }) => fields.event)).toContain('token_not_shared')
    a.store.fails = undefined
    expect((await a.get()).token.text).toBe(held.token.text)
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

  test('with members that this one does not know is used', async () => {
    const { token } = await a.get()
    const found = await store.read(`token/${KEY.id}`)
    const record = JSON.parse(Buffer.from(found?.bytes ?? []).toString())
    const bytes = Buffer.from(JSON.stringify({ ...record, more: 1 }))
    const { expiresAt } = token
    await store.compareAndSwap({
      key: `token/${KEY.id}`,
      bytes,
      expectedVersion: found?.version ?? '',
      expiresAt,
    })
    expect((await b.get()).token.text).toBe(token.text)
  })

  test('that cannot be read is left alone while it is of use, and replaced after', async () => {
    await put({ v: 2, keepUntil: clock.now() + 9 * MINUTE })
    await expect(a.get()).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      reason: expect.stringContaining('a newer release wrote it'),
    })
    await clock.advance(9 * MINUTE)
    expect((await a.get()).cached).toBe(false)
  })
})

test('while no turn is in reach, who asks again and again costs no store call', async () => {
  const keys = Array.from({ length: 100 }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
  )
  for (const key of keys) a.get({ key }).catch(() => {})
  await clock.advance(0)
  const late = keys.at(-1)
  const before = storeCalls(a)
  for (let i = 0; i < 50; i++)
    await expect(a.get({ ...(late && { key: late }) })).rejects.toMatchObject({ code: 'throttled' })
  expect(storeCalls(a)).toBe(before)
})
