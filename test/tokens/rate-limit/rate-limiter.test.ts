import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import {
  createRateLimiter,
  type RateLimiter,
  type Reservation,
  type ReservationRequest,
} from '../../../src/tokens/rate-limit/rate-limiter.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'

const WANTED: ReservationRequest = { resource: 'r', perSecond: 16, waitMs: 5000, hasPriority: false }

/** The most that fall into any second [t, t + 1 s). */
function busiestSecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.max(0, ...sorted.map((from, i) => sorted.slice(i).filter(time => time < from + 1000).length))
}

function fleet(instances: number): { clock: VirtualClock; paces: RateLimiter[]; store: Store } {
  const clock = virtualClock()
  const store = createMemoryStore(clock)
  return { clock, store, paces: Array.from({ length: instances }, () => createRateLimiter({ store, clock })) }
}

function counted(inner: Store, count: (call: 'read' | 'swap') => void): Store {
  return {
    read(key) {
      count('read')
      return inner.read(key)
    },
    compareAndSwap(change) {
      count('swap')
      return inner.compareAndSwap(change)
    },
  }
}

async function turnOf(rateLimiter: RateLimiter, wanted: Partial<ReservationRequest> = {}): Promise<number> {
  const place = await rateLimiter.reserve({ ...WANTED, ...wanted })
  return place.slot()
}

describe.each([1, 3, 10])('over %i instances', instances => {
  test('no second has more turns than allowed, and 95% are used under saturation', async () => {
    const { clock, paces } = fleet(instances)
    const start = clock.now()
    const turns: number[] = []
    let refused = 0
    for (let step = 0; step < 1000; step++) {
      for (const rateLimiter of paces)
        void turnOf(rateLimiter).then(
          () => turns.push(clock.now()),
          () => refused++,
        )
      await clock.advance(30)
    }
    const seconds = (clock.now() - start) / 1000
    expect(busiestSecond(turns)).toBeLessThanOrEqual(16)
    expect(turns.length / seconds).toBeGreaterThanOrEqual(16 * 0.95)
    expect(refused).toBeGreaterThan(0)
  })
})

test('holds at any rate and for arrivals of any kind, though each is handed out up to 40 ms late', async () => {
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
        const { clock, paces } = fleet(2)
        const handedOut: number[] = []
        for (const [i, { afterMs, lateMs, hasPriority }] of arrivals.entries()) {
          await clock.advance(afterMs)
          const rateLimiter = paces[i % 2] as RateLimiter
          void turnOf(rateLimiter, { perSecond, hasPriority }).then(
            turn => handedOut.push(turn + lateMs),
            () => {},
          )
        }
        await clock.advance(10_000)
        expect(busiestSecond(handedOut)).toBeLessThanOrEqual(perSecond)
      },
    ),
    { numRuns: 60 },
  )
})

test('serves first come, first served', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const order: number[] = []
  for (let i = 0; i < 20; i++) void turnOf(rateLimiter as RateLimiter).then(() => order.push(i))
  await clock.advance(3000)
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(order).toHaveLength(20)
})

test('those who have a token in use go first, so that a flood of newcomers cannot starve them', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  for (let i = 0; i < 1000; i++) void turnOf(rateLimiter as RateLimiter).catch(() => {})
  await clock.advance(500)
  const asked = clock.now()
  let served: number | undefined
  void turnOf(rateLimiter as RateLimiter, { hasPriority: true, waitMs: 250 }).then(() => {
    served = clock.now()
  })
  for (let i = 0; i < 1000; i++) void turnOf(rateLimiter as RateLimiter).catch(() => {})
  await clock.advance(250)
  expect(served).toBeDefined()
  expect((served ?? 0) - asked).toBeLessThanOrEqual(130)
})

test('who is ready goes before who still waits for STS', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const slow = await (rateLimiter as RateLimiter).reserve(WANTED)
  const quick = await (rateLimiter as RateLimiter).reserve(WANTED)
  let quickAt: number | undefined
  const started = clock.now()
  void quick.slot().then(turn => {
    quickAt = turn
  })
  await clock.advance(0)
  expect(quickAt).toBe(started)
  let slowAt: number | undefined
  await clock.advance(700)
  void slow.slot().then(turn => {
    slowAt = turn
  })
  await clock.advance(100)
  expect(slowAt).toBeGreaterThanOrEqual(started + 700)
})

describe('what is too far off', () => {
  async function flooded(count: number) {
    const {
      clock,
      paces: [rateLimiter],
      store,
    } = fleet(1)
    const refusals: JetonError[] = []
    let turns = 0
    for (let i = 0; i < count; i++)
      void turnOf(rateLimiter as RateLimiter).then(
        () => turns++,
        cause => refusals.push(cause as JetonError),
      )
    await clock.advance(0)
    return { clock, rateLimiter: rateLimiter as RateLimiter, store, refusals, served: () => turns }
  }

  test('is refused as throttled, and the rest are served', async () => {
    const { clock, refusals, served } = await flooded(200)
    await clock.advance(6000)
    expect(served() + refusals.length).toBe(200)
    expect(served()).toBe(77)
    expect(refusals.every(({ code }) => code === 'throttled')).toBe(true)
  })

  test('Retry-After is when a turn is free, and spreads those refused', async () => {
    const { refusals } = await flooded(400)
    const seconds = refusals.map(({ retryAfterMs }) => Math.ceil((retryAfterMs ?? 0) / 1000))
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(5)
    const perSecond = new Map<number, number>()
    for (const second of seconds) perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(17)
  })

  test('costs no call to the store while the next turn is known to be out of reach', async () => {
    const clock = virtualClock()
    const inner = createMemoryStore(clock)
    let calls = 0
    const store = counted(inner, () => calls++)
    const rateLimiter = createRateLimiter({ store, clock })
    for (let i = 0; i < 100; i++) void turnOf(rateLimiter).catch(() => {})
    await clock.advance(0)
    const before = calls
    const late = Array.from({ length: 1000 }, () => turnOf(rateLimiter).catch(cause => cause))
    expect(await Promise.all(late)).toSatisfy((all: unknown[]) => all.every(one => one instanceof JetonError))
    expect(calls).toBe(before)
  })
})

test('however many join at once, the store is asked once for all of them', async () => {
  const clock = virtualClock()
  const inner = createMemoryStore(clock)
  let swaps = 0
  const rateLimiter = createRateLimiter({
    store: counted(inner, call => (call === 'swap' ? swaps++ : 0)),
    clock,
  })
  const places = Array.from({ length: 50 }, () => rateLimiter.reserve(WANTED))
  await clock.advance(0)
  await Promise.all(places)
  expect(swaps).toBeLessThanOrEqual(2)
})

test('a store that fails is a failure of those who asked, and the next one is tried anew', async () => {
  const clock = virtualClock()
  const inner = createMemoryStore(clock)
  let down = true
  const gone = new JetonError('temporarily_unavailable', { publicMessage: 'gone' })
  const store: Store = {
    read: key => (down ? Promise.reject(gone) : inner.read(key)),
    compareAndSwap: inner.compareAndSwap,
  }
  const rateLimiter = createRateLimiter({ store, clock })
  await expect(rateLimiter.reserve(WANTED)).rejects.toBe(gone)
  down = false
  await expect(turnOf(rateLimiter)).resolves.toBe(clock.now())
})

/** A store that takes so long for each call. */
function slow(
  inner: Store,
  { clock, ms, swapMs = ms }: { clock: VirtualClock; ms: number; swapMs?: number },
): Store {
  const pause = (forMs: number) => clock.sleepUntil(clock.now() + forMs)
  return {
    read: key => pause(ms).then(() => inner.read(key)),
    compareAndSwap: change => pause(swapMs).then(() => inner.compareAndSwap(change)),
  }
}

test('a store that writes more slowly than it reads is found out by the first turn that it costs', async () => {
  const clock = virtualClock()
  const rateLimiter = createRateLimiter({
    store: slow(createMemoryStore(clock), { clock, ms: 5, swapMs: 120 }),
    clock,
  })
  const waits: number[] = []
  for (let i = 0; i < 5; i++) {
    const from = clock.now()
    void turnOf(rateLimiter).then(turn =>
      waits.push(rateLimiter.isOnTime(turn) ? clock.now() - from : Number.NaN),
    )
    await clock.advance(2000)
  }
  expect(waits).toHaveLength(5)
  expect(Math.max(...waits)).toBeLessThan(500)
})

test.each([40, 100, 800])('a store that takes %i ms a call costs no turn and no second try', async ms => {
  const clock = virtualClock()
  let calls = 0
  const store = counted(slow(createMemoryStore(clock), { clock, ms }), () => calls++)
  const rateLimiter = createRateLimiter({ store, clock })
  const isOnTime = turnOf(rateLimiter).then(turn => rateLimiter.isOnTime(turn))
  await clock.advance(3 * ms)
  expect(await isOnTime).toBe(true)
  expect(calls).toBe(2)
})

test('a renewal that would not wait so long takes nobody with it who would', async () => {
  const clock = virtualClock()
  const store = createMemoryStore(clock)
  const slowly = createRateLimiter({ store: slow(store, { clock, ms: 5 }), clock })
  const others = createRateLimiter({ store, clock })
  for (let i = 0; i < 6; i++) void turnOf(others)
  await clock.advance(0)
  const renewal = turnOf(slowly, { hasPriority: true, isOptional: true, waitMs: 250 })
  renewal.catch(() => {})
  await clock.advance(2)
  const joined = turnOf(slowly)
  joined.catch(() => {})
  await clock.advance(1000)
  await expect(renewal).rejects.toMatchObject({ code: 'throttled' })
  expect(await joined).toBeLessThan(clock.now())
})

test('renewals that find no turn move nobody further off: they do not come back', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  for (let i = 0; i < 78; i++) void turnOf(rateLimiter as RateLimiter).catch(() => {})
  await clock.advance(0)
  const renewal = { hasPriority: true, isOptional: true, waitMs: 0 }
  for (let i = 0; i < 500; i++) await expect(turnOf(rateLimiter as RateLimiter, renewal)).rejects.toThrow()
  const refused = await turnOf(rateLimiter as RateLimiter).catch(cause => cause as JetonError)
  expect(refused).toMatchObject({ code: 'throttled', retryAfterMs: 5000 })
})

test('who is ready at once gets a turn at once, however long others take to get ready', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  for (let i = 0; i < 20; i++) {
    const place = await (rateLimiter as RateLimiter).reserve(WANTED)
    await clock.advance(900)
    void place.slot()
    await clock.advance(1000)
  }
  const from = clock.now()
  let at: number | undefined
  void turnOf(rateLimiter as RateLimiter, { isReady: true, hasPriority: true, waitMs: 250 }).then(() => {
    at = clock.now()
  })
  await clock.advance(250)
  expect(at).toBe(from)
})

test('gives turns so much ahead as the way from signature to hand-out takes, and uses all of them', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const start = clock.now()
  const left: number[] = []
  async function mint() {
    const place = await (rateLimiter as RateLimiter).reserve({ ...WANTED, isReady: true })
    const turn = await place.slot()
    const signedAt = clock.now()
    await clock.sleepUntil(signedAt + 60)
    place.reportDeliveryDelay(clock.now() - signedAt)
    await clock.sleepUntil(turn)
    if ((rateLimiter as RateLimiter).isOnTime(turn)) left.push(clock.now())
  }
  for (let step = 0; step < 600; step++) {
    void mint().catch(() => {})
    await clock.advance(50)
  }
  const seconds = (clock.now() - start) / 1000
  expect(busiestSecond(left)).toBeLessThanOrEqual(16)
  expect(left.length / seconds).toBeGreaterThanOrEqual(16 * 0.93)
})

test('a turn that went by unused is given back: at a slow pace nobody waits for the next', async () => {
  const {
    clock,
    paces: [rateLimiter, other],
  } = fleet(2)
  const start = clock.now()
  const wanted = { ...WANTED, perSecond: 0.5, waitMs: 1000 }
  const place = await (rateLimiter as RateLimiter).reserve(wanted)
  await clock.advance(150)
  const turn = place.slot()
  await clock.advance(0)
  expect(await turn).toBe(start + 150)
  // and one that was used is not: the next is 2 s later
  await expect((other as RateLimiter).reserve(wanted)).rejects.toMatchObject({ code: 'throttled' })
  await clock.advance(1200)
  const next = turnOf(other as RateLimiter, wanted)
  await clock.advance(1000)
  expect(await next).toBe(start + 150 + 2080)
})

test('learns how long it takes to get ready, and takes no turn that is over by then', async () => {
  const clock = virtualClock()
  let swaps = 0
  const rateLimiter = createRateLimiter({
    store: counted(createMemoryStore(clock), call => (call === 'swap' ? swaps++ : 0)),
    clock,
  })
  async function mint() {
    const before = swaps
    const place = await rateLimiter.reserve(WANTED)
    await clock.sleepUntil(clock.now() + 150)
    await place.slot()
    return swaps - before
  }
  const costs: number[] = []
  for (let i = 0; i < 20; i++) {
    const minting = mint()
    await clock.advance(2000)
    costs.push(await minting)
  }
  expect(costs[0]).toBe(2)
  expect(costs.at(-1)).toBe(1)
})

test('a place given up leaves its turn to the next', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const places: Reservation[] = []
  for (let i = 0; i < 3; i++) places.push(await (rateLimiter as RateLimiter).reserve(WANTED))
  places[0]?.cancel()
  const turns: number[] = []
  void places[1]?.slot().then(turn => turns.push(turn))
  void places[2]?.slot().then(turn => turns.push(turn))
  await clock.advance(65)
  expect(turns.map(turn => turn - clock.now() + 65)).toEqual([0, 65])
})

describe('a record of turns', () => {
  const put = (store: Store, { clock, text }: { clock: VirtualClock; text: string }) =>
    store.compareAndSwap({
      key: 'turns/r',
      bytes: Buffer.from(text),
      expectedVersion: 'absent',
      expiresAt: clock.now() + 60_000,
    })

  test.each(['null', '{}', 'x', '{"v":1,"next":"soon"}'])(
    'of nonsense (%s) is as good as none',
    async text => {
      const clock = virtualClock()
      const store = createMemoryStore(clock)
      await put(store, { clock, text })
      expect(await turnOf(createRateLimiter({ store, clock }))).toBe(clock.now())
    },
  )

  test('of a later release is left alone while it is of use', async () => {
    const clock = virtualClock()
    const store = createMemoryStore(clock)
    await put(store, { clock, text: JSON.stringify({ v: 2, keepUntil: clock.now() + 3000 }) })
    const rateLimiter = createRateLimiter({ store, clock })
    await expect(rateLimiter.reserve(WANTED)).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    await clock.advance(3000)
    expect(await turnOf(rateLimiter)).toBe(clock.now())
  })
})

test('resources do not share turns', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const turns = ['a', 'b', 'c'].map(resource => turnOf(rateLimiter as RateLimiter, { resource }))
  await clock.advance(0)
  expect(await Promise.all(turns)).toEqual([clock.now(), clock.now(), clock.now()])
})

test('onTime tells a hand-out that still counts as of its turn from one that came too late', async () => {
  const {
    clock,
    paces: [rateLimiter],
  } = fleet(1)
  const turn = await turnOf(rateLimiter as RateLimiter)
  await clock.advance(40)
  expect((rateLimiter as RateLimiter).isOnTime(turn)).toBe(true)
  await clock.advance(1)
  expect((rateLimiter as RateLimiter).isOnTime(turn)).toBe(false)
})

describe('a clock that is corrected', () => {
  function shifting() {
    const inner = virtualClock()
    let shiftMs = 0
    const clock: Clock = {
      now: () => inner.now() + shiftMs,
      sleepUntil: (ms, signal) => inner.sleepUntil(ms - shiftMs, signal),
      observe: () => () => {},
    }
    const rateLimiter = createRateLimiter({ store: createMemoryStore(clock), clock })
    return { inner, clock, rateLimiter, shift: (ms: number) => (shiftMs += ms) }
  }

  test.each([4 * 60_000, -4 * 60_000])(
    'by %i ms while somebody waits, neither refuses nor delays anyone',
    async ms => {
      const { inner, rateLimiter, shift } = shifting()
      const served: number[] = []
      for (let i = 0; i < 5; i++) {
        const place = await rateLimiter.reserve(WANTED)
        if (i === 2) shift(ms)
        void place.slot().then(() => served.push(i))
      }
      await inner.advance(2000)
      expect(served).toHaveLength(5)
    },
  )

  test('never leaves turns in the future for the others', async () => {
    const { inner, clock, rateLimiter, shift } = shifting()
    shift(10 * 60_000)
    await turnOf(rateLimiter)
    shift(-10 * 60_000)
    const turn = turnOf(rateLimiter)
    await inner.advance(0)
    expect(await turn).toBeLessThanOrEqual(clock.now())
  })
})
