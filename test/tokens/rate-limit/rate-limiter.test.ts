import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createRateLimiter, type ReadableRateLimiter } from '../../../src/tokens/rate-limit/rate-limiter.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { asEncrypted } from '../../support/service/as-encrypted.ts'
import { nextSlot, REQUEST, requestOf, slowStore, startFleet, startInstance } from './support.ts'

/** The most that fall into any second [t, t + 1 s). */
function busiestSecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.max(0, ...sorted.map((from, i) => sorted.slice(i).filter(time => time < from + 1000).length))
}

describe.each([1, 3, 10])('%i saturated instances', instances => {
  test('get no more slots in any second than allowed, and use 95% of them', async () => {
    const { clock, rateLimiters } = startFleet(instances)
    const start = clock.now()
    const slots: number[] = []
    let refused = 0
    for (let step = 0; step < 1000; step++) {
      for (const rateLimiter of rateLimiters)
        void nextSlot(rateLimiter).then(
          () => slots.push(clock.now()),
          () => refused++,
        )
      await clock.advance(30)
    }
    const seconds = (clock.now() - start) / 1000
    expect(busiestSecond(slots)).toBeLessThanOrEqual(16)
    expect(slots.length / seconds).toBeGreaterThanOrEqual(16 * 0.95)
    expect(refused).toBeGreaterThan(0)
  })
})

test('the rate holds whatever it is and however callers arrive, though each delivers up to 40 ms late', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.array(
        fc.record({
          afterMs: fc.integer({ min: 0, max: 400 }),
          lateMs: fc.integer({ min: 0, max: 40 }),
          hasPriority: fc.boolean(),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      async (perSecond, arrivals) => {
        const { clock, rateLimiters } = startFleet(2)
        const delivered: number[] = []
        for (const [i, { afterMs, lateMs, hasPriority }] of arrivals.entries()) {
          await clock.advance(afterMs)
          void nextSlot(rateLimiters[i % 2]!, { perSecond, hasPriority }).then(
            slot => delivered.push(slot + lateMs),
            () => {},
          )
        }
        await clock.advance(10_000)
        expect(busiestSecond(delivered)).toBeLessThanOrEqual(perSecond)
      },
    ),
    { numRuns: 60 },
  )
})

describe('callers', () => {
  test('are served in order of arrival', async () => {
    const { clock, rateLimiter } = startInstance()
    const order: number[] = []
    for (let i = 0; i < 20; i++) void nextSlot(rateLimiter).then(() => order.push(i))
    await clock.advance(3000)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order).toHaveLength(20)
  })

  test('with a token in use go before newcomers of their grant', async () => {
    const { clock, rateLimiter } = startInstance()
    for (let i = 0; i < 1000; i++) void nextSlot(rateLimiter).catch(() => {})
    await clock.advance(500)
    const requestedAt = clock.now()
    let servedAt: number | undefined
    void nextSlot(rateLimiter, { hasPriority: true, waitMs: 250 }).then(() => {
      servedAt = clock.now()
    })
    for (let i = 0; i < 1000; i++) void nextSlot(rateLimiter).catch(() => {})
    await clock.advance(250)
    expect(servedAt).toBeDefined()
    expect((servedAt ?? 0) - requestedAt).toBeLessThanOrEqual(130)
  })

  test('that are ready go before those that still wait for STS', async () => {
    const { clock, rateLimiter } = startInstance()
    const slow = await rateLimiter.reserve(REQUEST)
    const quick = await rateLimiter.reserve(REQUEST)
    const start = clock.now()
    let quickSlot: number | undefined
    void quick.slot().then(slot => {
      quickSlot = slot
    })
    await clock.advance(0)
    expect(quickSlot).toBe(start)
    let slowSlot: number | undefined
    await clock.advance(700)
    void slow.slot().then(slot => {
      slowSlot = slot
    })
    await clock.advance(100)
    expect(slowSlot).toBeGreaterThanOrEqual(start + 700)
  })

  test('that are ready at once get a slot at once, however long others take to get ready', async () => {
    const { clock, rateLimiter } = startInstance()
    for (let i = 0; i < 20; i++) {
      const reservation = await rateLimiter.reserve(REQUEST)
      await clock.advance(900)
      void reservation.slot()
      await clock.advance(1000)
    }
    const start = clock.now()
    let servedAt: number | undefined
    void nextSlot(rateLimiter, { isReady: true, hasPriority: true, waitMs: 250 }).then(() => {
      servedAt = clock.now()
    })
    await clock.advance(250)
    expect(servedAt).toBe(start)
  })

  test('that give up leave their slot to the next', async () => {
    const { clock, store, rateLimiter } = startInstance()
    const start = clock.now()
    const places = [0, 1, 2].map(() => rateLimiter.join(REQUEST))
    const reservations = await Promise.all(places.map(place => place.reserve()))
    places[0]?.leave()
    const slots: number[] = []
    for (const reservation of reservations.slice(1))
      void reservation.slot().then(slot => slots.push(slot - start))
    await clock.advance(65)
    expect(slots).toEqual([0, 65])
    const before = store.calls.swap
    await rateLimiter.reserve(REQUEST)
    expect(store.calls.swap).toBe(before)
  })

  test('that have only a place count for their share, and write nothing', async () => {
    const { store, rateLimiter } = startInstance()
    const places = Array.from({ length: 39 }, (_, i) => rateLimiter.join(requestOf(i)))
    places[0]?.leave()
    rateLimiter.join(requestOf('next'))
    expect(() => rateLimiter.join(requestOf('late'))).toThrow('the grant has its share')
    expect(store.calls).toEqual({ read: 0, swap: 0 })
  })

  test('for different resources do not share slots', async () => {
    const { clock, rateLimiter } = startInstance()
    const slots = ['a', 'b', 'c'].map(resource => nextSlot(rateLimiter, { resource }))
    await clock.advance(0)
    expect(await Promise.all(slots)).toEqual([clock.now(), clock.now(), clock.now()])
  })
})

describe('callers whose slot is too far off', () => {
  async function flood(count: number) {
    const { clock, rateLimiter } = startInstance()
    const refusals: JetonError[] = []
    let served = 0
    for (let i = 0; i < count; i++)
      void nextSlot(rateLimiter, requestOf(i)).then(
        () => served++,
        (cause: JetonError) => refusals.push(cause),
      )
    await clock.advance(0)
    return { clock, refusals, served: () => served }
  }

  test('are refused as throttled, and the others are served', async () => {
    const { clock, refusals, served } = await flood(200)
    await clock.advance(6000)
    expect(served() + refusals.length).toBe(200)
    // half of the 77 slots within 5 s: the rest is for callers of other grants
    expect(served()).toBe(39)
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['throttled']))
  })

  test('get a Retry-After for when their share has room, spread over those refused', async () => {
    const { refusals } = await flood(300)
    const seconds = refusals.map(({ retryAfterMs }) => (retryAfterMs ?? 0) / 1000)
    expect(seconds.every(Number.isInteger)).toBe(true)
    expect([Math.min(...seconds), Math.max(...seconds)]).toEqual([1, 23])
    const perSecond = new Map<number, number>()
    for (const second of seconds) perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(17)
  })

  test('cost no call to the store while that is known', async () => {
    const { clock, store, rateLimiter } = startInstance()
    for (let i = 0; i < 100; i++) void nextSlot(rateLimiter).catch(() => {})
    await clock.advance(0)
    const before = { ...store.calls }
    const late = Array.from({ length: 1000 }, () => nextSlot(rateLimiter).catch(cause => cause.code))
    expect(new Set(await Promise.all(late))).toEqual(new Set(['throttled']))
    expect(store.calls).toEqual(before)
  })

  test('move nobody further off if they will not come back', async () => {
    const { clock, rateLimiter } = startInstance()
    for (let i = 0; i < 39; i++) void nextSlot(rateLimiter, requestOf(i)).catch(() => {})
    await clock.advance(0)
    const renewal = { ...requestOf(1), hasPriority: true, isOptional: true, waitMs: 0 }
    for (let i = 0; i < 500; i++) await expect(nextSlot(rateLimiter, renewal)).rejects.toThrow()
    const refusal = await nextSlot(rateLimiter, requestOf(500)).catch(cause => cause as JetonError)
    expect(refusal).toMatchObject({ code: 'throttled', retryAfterMs: 1000 })
  })

  test('do not fail other callers that can wait longer', async () => {
    const clock = virtualClock()
    const store = createMemoryStore(clock)
    const slow = createRateLimiter({
      encryptedStore: asEncrypted(slowStore(store, { clock, readMs: 5 })),
      clock,
    })
    const others = createRateLimiter({ encryptedStore: store, clock })
    for (let i = 0; i < 6; i++) void nextSlot(others)
    await clock.advance(0)
    const renewal = nextSlot(slow, { hasPriority: true, isOptional: true, waitMs: 250 })
    renewal.catch(() => {})
    await clock.advance(2)
    const joined = nextSlot(slow)
    joined.catch(() => {})
    await clock.advance(1000)
    await expect(renewal).rejects.toMatchObject({ code: 'throttled' })
    expect(await joined).toBeLessThan(clock.now())
  })

  test('learn it from refusal as they would from reserve', async () => {
    const { clock, rateLimiter } = startInstance()
    expect(rateLimiter.refusal(REQUEST)).toBeUndefined()
    for (let i = 0; i < 100; i++) void nextSlot(rateLimiter, requestOf(i)).catch(() => {})
    await clock.advance(0)
    expect(rateLimiter.refusal(REQUEST)).toMatchObject({
      code: 'throttled',
      reason: expect.stringContaining('newTokensPerSecond'),
    })
    expect(rateLimiter.refusal(requestOf('app', 'reports'))).toBeUndefined()
  })
})

describe('the store', () => {
  test('is written once for all callers that join at the same moment', async () => {
    const { clock, store, rateLimiter } = startInstance()
    const reservations = Array.from({ length: 38 }, (_, i) => rateLimiter.reserve(requestOf(i)))
    await clock.advance(0)
    await Promise.all(reservations)
    expect(store.calls.swap).toBeLessThanOrEqual(2)
  })

  test('fails the callers that wait when it fails, and is read again for the next', async () => {
    const gone = new JetonError('temporarily_unavailable', { publicMessage: 'gone' })
    let isDown = true
    const { clock, rateLimiter } = startInstance(inner => ({
      read: key => (isDown ? Promise.reject(gone) : inner.read(key)),
      compareAndSwap: inner.compareAndSwap,
    }))
    await expect(rateLimiter.reserve(REQUEST)).rejects.toBe(gone)
    isDown = false
    await expect(nextSlot(rateLimiter)).resolves.toBe(clock.now())
  })

  test('that writes more slowly than it reads costs one slot to find out', async () => {
    const { clock, rateLimiter } = startInstance((inner, clock) =>
      slowStore(inner, { clock, readMs: 5, swapMs: 120 }),
    )
    const waits: number[] = []
    for (let i = 0; i < 5; i++) {
      const from = clock.now()
      void nextSlot(rateLimiter).then(slot =>
        waits.push(rateLimiter.isOnTime(slot) ? clock.now() - from : Number.NaN),
      )
      await clock.advance(2000)
    }
    expect(waits).toHaveLength(5)
    expect(Math.max(...waits)).toBeLessThan(500)
  })

  test.each([40, 100, 800])('that takes %i ms a call costs no slot and no second try', async readMs => {
    const { clock, store, rateLimiter } = startInstance((inner, clock) => slowStore(inner, { clock, readMs }))
    const isOnTime = nextSlot(rateLimiter).then(slot => rateLimiter.isOnTime(slot))
    await clock.advance(3 * readMs)
    expect(await isOnTime).toBe(true)
    expect(store.calls).toEqual({ read: 1, swap: 1 })
  })
})

describe('slots', () => {
  test('are given as much earlier as delivery takes after signature, and all of them are used', async () => {
    const { clock, rateLimiter } = startInstance()
    const start = clock.now()
    const delivered: number[] = []
    async function mint() {
      const reservation = await rateLimiter.reserve({ ...REQUEST, isReady: true })
      const slot = await reservation.slot()
      const signedAt = clock.now()
      await clock.sleepUntil(signedAt + 60)
      reservation.reportDeliveryDelay(clock.now() - signedAt)
      await clock.sleepUntil(slot)
      if (rateLimiter.isOnTime(slot)) delivered.push(clock.now())
    }
    for (let step = 0; step < 600; step++) {
      void mint().catch(() => {})
      await clock.advance(50)
    }
    const seconds = (clock.now() - start) / 1000
    expect(busiestSecond(delivered)).toBeLessThanOrEqual(16)
    expect(delivered.length / seconds).toBeGreaterThanOrEqual(16 * 0.93)
  })

  test('that went by unused are given back, so that nobody waits for the next at a low rate', async () => {
    const { clock, rateLimiters } = startFleet(2)
    const [one, other] = rateLimiters as [ReadableRateLimiter, ReadableRateLimiter]
    const start = clock.now()
    const request = { ...REQUEST, perSecond: 0.5, waitMs: 1000 }
    const reservation = await one.reserve(request)
    await clock.advance(150)
    const slot = reservation.slot()
    await clock.advance(0)
    expect(await slot).toBe(start + 150)
    // one that was used is not given back: the next is 2 s later
    await expect(other.reserve(request)).rejects.toMatchObject({ code: 'throttled' })
    await clock.advance(1200)
    const next = nextSlot(other, request)
    await clock.advance(1000)
    expect(await next).toBe(start + 150 + 2080)
  })

  test('are not reserved for a moment at which nobody is ready, once it is known how long that takes', async () => {
    const { clock, store, rateLimiter } = startInstance()
    async function mint() {
      const before = store.calls.swap
      const reservation = await rateLimiter.reserve(REQUEST)
      await clock.sleepUntil(clock.now() + 150)
      await reservation.slot()
      return store.calls.swap - before
    }
    const writes: number[] = []
    for (let i = 0; i < 20; i++) {
      const minting = mint()
      await clock.advance(2000)
      writes.push(await minting)
    }
    expect(writes[0]).toBe(2)
    expect(writes.at(-1)).toBe(1)
  })

  test('are missed by a delivery more than 40 ms later', async () => {
    const { clock, rateLimiter } = startInstance()
    const slot = await nextSlot(rateLimiter)
    await clock.advance(40)
    expect(rateLimiter.isOnTime(slot)).toBe(true)
    await clock.advance(1)
    expect(rateLimiter.isOnTime(slot)).toBe(false)
  })
})

describe('a clock that is corrected', () => {
  function shiftingClock() {
    const inner = virtualClock()
    let shiftMs = 0
    const clock: Clock = {
      now: () => inner.now() + shiftMs,
      // like the real one, which reads the clock again each second
      async sleepUntil(ms, signal) {
        for (let leftMs = ms - clock.now(); leftMs > 0; leftMs = ms - clock.now())
          await inner.sleep(Math.min(leftMs, 1000), signal)
      },
      sleep: inner.sleep,
      observe: () => () => {},
    }
    const rateLimiter = createRateLimiter({ encryptedStore: createMemoryStore(clock), clock })
    return { inner, clock, rateLimiter, shift: (ms: number) => (shiftMs += ms) }
  }

  test.each([4 * 60_000, -4 * 60_000])(
    'by %i ms while callers wait neither refuses nor delays any',
    async ms => {
      const { inner, rateLimiter, shift } = shiftingClock()
      const served: number[] = []
      for (let i = 0; i < 5; i++) {
        const reservation = await rateLimiter.reserve(REQUEST)
        if (i === 2) shift(ms)
        void reservation.slot().then(() => served.push(i))
      }
      await inner.advance(2000)
      expect(served).toHaveLength(5)
    },
  )

  test.each([90_000, -90_000])('by %i ms while callers sleep until their slots delays none', async ms => {
    const { inner, rateLimiter, shift } = shiftingClock()
    const served: number[] = []
    for (let i = 0; i < 5; i++)
      void rateLimiter.reserve(REQUEST).then(async reservation => {
        await reservation.slot()
        served.push(i)
      })
    await inner.advance(100)
    shift(ms)
    await inner.advance(3000)
    expect(served).toHaveLength(5)
  })

  test('leaves no slots in the future for other callers', async () => {
    const { inner, clock, rateLimiter, shift } = shiftingClock()
    shift(10 * 60_000)
    await nextSlot(rateLimiter)
    shift(-10 * 60_000)
    const slot = nextSlot(rateLimiter)
    await inner.advance(0)
    expect(await slot).toBeLessThanOrEqual(clock.now())
  })
})
