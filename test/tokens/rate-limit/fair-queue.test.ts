import { describe, expect, test } from 'vitest'
import type { JetonError } from '../../../src/errors.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createRateLimiter, type RateLimiter } from '../../../src/tokens/rate-limit/rate-limiter.ts'
import type { ReservationRequest } from '../../../src/tokens/rate-limit/reservation.ts'
import { slotRecordKey } from '../../../src/tokens/rate-limit/slot-record.ts'
import { createSimulationClock, type SimulationClock } from '../../simulation/clock.ts'
import { nextSlot, REQUEST, requestOf, startInstance } from './support.ts'

/** How long a caller takes to get ready: STS. */
const PREPARATION_MS = 100
/** How soon callers that hammer ask again. */
const AGAIN_MS = 40

interface Fleet {
  readonly clock: SimulationClock
  readonly rateLimiters: readonly RateLimiter[]
}

/** The rate limiters of a fleet on one store, on a clock that is quick though thousands sleep. */
function startFleet(instances: number, slotWaitMs?: number): Fleet {
  const clock = createSimulationClock()
  const store = createMemoryStore(clock)
  const rateLimiters = Array.from({ length: instances }, () =>
    createRateLimiter({ encryptedStore: store, clock, slotWaitMs }),
  )
  return { clock, rateLimiters }
}

/** What callers got. */
interface Served {
  readonly slots: number[]
  /** When they began to get ready: when STS is called. */
  readonly preparedAt: number[]
}

async function getSlot(
  { clock, rateLimiters: [rateLimiter] }: Fleet,
  { request, served }: { request: ReservationRequest; served?: Served },
): Promise<void> {
  if (!rateLimiter) return
  const reservation = await rateLimiter.reserve(request)
  await clock.sleepUntil(reservation.prepareAt)
  served?.preparedAt.push(clock.now())
  await clock.sleepUntil(clock.now() + PREPARATION_MS)
  const slot = await reservation.slot()
  served?.slots.push(slot)
}

interface Hammering {
  forMs: number
  /** The request number `i`. */
  request(i: number): ReservationRequest
  callers?: number
}

/** Callers that ask again at once, whatever they are told, each instance by turns. */
function hammer({ clock, rateLimiters }: Fleet, { forMs, request, callers = 40 }: Hammering): Served {
  const served: Served = { slots: [], preparedAt: [] }
  const end = clock.now() + forMs
  let requests = 0
  async function ask() {
    while (clock.now() < end) {
      const i = requests++
      const called = rateLimiters.slice(i % rateLimiters.length)
      await getSlot({ clock, rateLimiters: called }, { request: request(i), served }).catch(() => {})
      await clock.sleepUntil(clock.now() + AGAIN_MS)
    }
  }
  for (let i = 0; i < callers; i++) void ask()
  return served
}

/** How long a caller waits that comes back when it is told to, each time to another instance; and how often it is refused. */
async function getHonestly({ clock, rateLimiters }: Fleet, request: ReservationRequest) {
  const start = clock.now()
  for (let refusals = 0; ; refusals++) {
    const called = rateLimiters.slice(refusals % rateLimiters.length)
    const refusal = await getSlot({ clock, rateLimiters: called }, { request }).catch(
      (cause: JetonError) => cause,
    )
    if (!refusal) return { waitMs: clock.now() - start, refusals }
    await clock.sleepUntil(clock.now() + (refusal.retryAfterMs ?? 0))
  }
}

/** Twelve principals of a grant, one every 1.5 s. */
function newcomersTo({ clock, rateLimiters }: Fleet) {
  const first = clock.now()
  return Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      await clock.sleepUntil(first + i * 1500)
      const from = i % rateLimiters.length
      const inRotation = [...rateLimiters.slice(from), ...rateLimiters.slice(0, from)]
      return getHonestly({ clock, rateLimiters: inRotation }, requestOf(i, 'newcomers'))
    }),
  )
}

describe.each([
  ['at the only instance', 1, 1],
  ['at one of three instances', 3, 1],
  ['at all three instances', 3, 3],
])('an aggressor %s', (_name, instances, attacked) => {
  test.each([
    ['whose subjects rotate', {}, 2500],
    ['that replaces its tokens', { isReplacement: true }, 1000],
    ['that renews more tokens than there are slots', { hasPriority: true }, 3334],
  ])(
    '%s refuses no newcomer of another grant, and makes none wait longer than its share',
    async (_what, kind, shareMs) => {
      const fleet = startFleet(instances)
      const { clock } = fleet
      const attackedOnes = { clock, rateLimiters: fleet.rateLimiters.slice(0, attacked) }
      const { newcomers, used } = await clock.run(async () => {
        const request = (i: number) => ({ ...requestOf(i, 'aggressor'), ...kind })
        const { slots } = hammer(attackedOnes, { forMs: 25_000, request })
        await clock.sleepUntil(clock.now() + 5000)
        const [before, from] = [slots.length, clock.now()]
        const served = await newcomersTo(fleet)
        return { newcomers: served, used: ((slots.length - before + 12) * 1000) / (clock.now() - from) }
      })
      expect(newcomers.map(({ refusals }) => refusals)).toEqual(newcomers.map(() => 0))
      expect(Math.max(...newcomers.map(({ waitMs }) => waitMs))).toBeLessThanOrEqual(shareMs + 300)
      expect(used).toBeGreaterThanOrEqual(16 * 0.93)
    },
  )
})

test('callers that have their place are in time, though those of many other grants get slots between them', async () => {
  const fleet = startFleet(1)
  const { clock } = fleet
  const waits = await clock.run(async () => {
    const waiting = Array.from({ length: 39 }, (_, i) => getHonestly(fleet, requestOf(i, 'first')))
    await clock.sleepUntil(clock.now() + 1)
    for (let grant = 0; grant < 12; grant++)
      hammer(fleet, { forMs: 8000, callers: 3, request: i => requestOf(i, `grant-${grant}`) })
    return Promise.all(waiting)
  })
  expect(waits.map(({ refusals }) => refusals)).toEqual(waits.map(() => 0))
  // a slot that has come waits for nobody: 5 s is for the slot
  expect(Math.max(...waits.map(({ waitMs }) => waitMs))).toBeLessThanOrEqual(5000)
})

test('an aggressor gains nothing by calling more instances than others', async () => {
  const { clock, rateLimiters } = startFleet(3)
  const forMs = 20_000
  const counts = await clock.run(async () => {
    const aggressor = hammer({ clock, rateLimiters }, { forMs, request: i => requestOf(i, 'aggressor') })
    const first = { clock, rateLimiters: rateLimiters.slice(0, 1) }
    const other = hammer(first, { forMs, request: i => requestOf(i, 'other') })
    await clock.sleepUntil(clock.now() + forMs)
    return [aggressor.slots.length, other.slots.length] as const
  })
  expect(counts[0] / counts[1]).toBeGreaterThan(0.8)
  expect(counts[0] / counts[1]).toBeLessThan(1.25)
})

test('STS is called no faster than slots come, and not much sooner than the slot', async () => {
  const fleet = startFleet(1)
  const { clock } = fleet
  const start = clock.now()
  const { slots, preparedAt } = await clock.run(async () => {
    const served = hammer(fleet, { forMs: 20_000, request: i => requestOf(i) })
    await clock.sleepUntil(start + 20_000)
    return served
  })
  for (let second = 2; second < 20; second++) {
    const from = start + second * 1000
    expect(preparedAt.filter(at => at >= from && at < from + 1000).length).toBeLessThanOrEqual(17)
  }
  expect(preparedAt.length - slots.length).toBeLessThanOrEqual(20)
})

test('an older record that somebody puts back again and again makes no instance faster', async () => {
  const clock = createSimulationClock()
  const store = createMemoryStore(clock)
  const rateLimiters = [createRateLimiter({ encryptedStore: store, clock })]
  const key = slotRecordKey(REQUEST.resource)
  const slots = await clock.run(async () => {
    const served = hammer({ clock, rateLimiters }, { forMs: 15_000, request: i => requestOf(i) })
    await clock.sleepUntil(clock.now() + 5000)
    const { bytes = Buffer.alloc(0) } = (await store.read(key)) ?? {}
    for (let i = 0; i < 100; i++) {
      const { version = 'absent' } = (await store.read(key)) ?? {}
      await store.compareAndSwap({ key, bytes, expectedVersion: version, expiresAt: clock.now() + 60_000 })
      await clock.sleepUntil(clock.now() + 100)
    }
    return served.slots
  })
  expect(slots.length).toBeGreaterThan(200)
  for (const from of slots)
    expect(slots.filter(slot => slot >= from && slot < from + 1000).length).toBeLessThanOrEqual(16)
})

describe('within a grant', () => {
  test('a principal with many tokens leaves slots to the others', async () => {
    const fleet = startFleet(2)
    const { clock } = fleet
    const { owner } = requestOf('many')
    const other = await clock.run(async () => {
      hammer(fleet, { forMs: 6000, request: i => ({ ...REQUEST, owner, keyId: `key-${i}` }) })
      await clock.sleepUntil(clock.now() + 3000)
      return getHonestly(fleet, requestOf('other'))
    })
    expect(other.refusals).toBe(0)
    expect(other.waitMs).toBeLessThanOrEqual(2500)
  })

  test('a principal that comes back when it was promised goes before ever new ones', async () => {
    const fleet = startFleet(1)
    const { clock } = fleet
    const honest = await clock.run(async () => {
      hammer(fleet, { forMs: 300_000, request: i => requestOf(`rotating-${i}`) })
      await clock.sleepUntil(clock.now() + 40_000)
      return getHonestly(fleet, requestOf('honest'))
    })
    expect(honest.refusals).toBe(1)
    expect(honest.waitMs).toBeLessThanOrEqual(60_000 + 5000)
  })
})

/** Callers that each ask again for the same token until they have it, every 200 ms and each time at another instance. */
function insist(fleet: Fleet, { callers, forMs }: { callers: number; forMs: number }): void {
  const { clock, rateLimiters } = fleet
  const end = clock.now() + forMs
  let [subjects, requests] = [0, 0]
  async function ask() {
    for (let request = requestOf(`crowd-${subjects++}`); clock.now() < end; requests++) {
      const called = rateLimiters.slice((requests + 1) % rateLimiters.length)
      const served = getSlot({ clock, rateLimiters: called }, { request }).then(() => true)
      if (await served.catch(() => false)) request = requestOf(`crowd-${subjects++}`)
      await clock.sleepUntil(clock.now() + 200)
    }
  }
  for (let i = 0; i < callers; i++) void ask()
}

test.each([1, 3])(
  'a crowd within a grant that hammers lets those in who come when they are told, on %d instances',
  async instances => {
    const fleet = startFleet(instances)
    const { clock } = fleet
    const waits = await clock.run(async () => {
      insist(fleet, { callers: 300, forMs: 240_000 })
      await clock.sleepUntil(clock.now() + 40_000)
      return Promise.all([0, 1, 2].map(i => getHonestly(fleet, requestOf(`honest-${i}`))))
    })
    // each instance promises something, and the second time at the first nobody is as late
    expect(Math.max(...waits.map(({ waitMs }) => waitMs))).toBeLessThanOrEqual(instances * 45_000)
  },
)

describe('a promise', () => {
  test('does not move though the same token is asked for again and again', async () => {
    const { clock, rateLimiter } = startInstance()
    const request = (subject: string) => ({ ...requestOf(subject), perSecond: 0.1 })
    void nextSlot(rateLimiter, request('first'))
    await clock.advance(100)
    const start = clock.now()
    const promised = new Set<number>()
    for (let i = 0; i < 15; i++) {
      const refusal = rateLimiter.refusal(request('second'))
      expect(refusal?.code).toBe('throttled')
      promised.add(clock.now() + (refusal?.retryAfterMs ?? 0) - start)
      await clock.advance(500)
    }
    expect([...promised]).toEqual([8000])
    await clock.advance(500)
    // its slot is the next one, 10.4 s after the first
    const slot = nextSlot(rateLimiter, request('second'))
    await clock.advance(5000)
    expect((await slot) - start).toBe(10_300)
  })

  test('is none that the callers of another grant could move', async () => {
    const { clock, rateLimiter } = startInstance()
    for (let i = 0; i < 300; i++) void nextSlot(rateLimiter, requestOf(i, 'aggressor')).catch(() => {})
    for (let i = 0; i < 30; i++) void nextSlot(rateLimiter, requestOf(i)).catch(() => {})
    await clock.advance(0)
    expect(rateLimiter.refusal(requestOf('late', 'aggressor'))?.retryAfterMs).toBe(24_000)
    expect(rateLimiter.refusal(requestOf('late'))?.retryAfterMs).toBe(2000)
  })
})

test.each([1, 0.25, 0.1])(
  'at %d a second, a grant that hammers has every other slot at most',
  async perSecond => {
    const fleet = startFleet(3)
    const { clock } = fleet
    const waits = await clock.run(async () => {
      const request = (i: number) => ({ ...requestOf(i, 'aggressor'), perSecond })
      hammer(fleet, { forMs: 120_000, callers: 5, request })
      await clock.sleepUntil(clock.now() + 20_000)
      const one = await getHonestly(fleet, { ...requestOf('one'), perSecond })
      const next = await getHonestly(fleet, { ...requestOf('next'), perSecond })
      return [one.waitMs, next.waitMs]
    })
    // one slot may be the aggressor's, and the next is the newcomer's
    expect(Math.max(...waits)).toBeLessThanOrEqual((2 * 1040) / perSecond + 5000)
  },
)

describe('more grants that hammer than there are slots in the horizon', () => {
  test.each<[string, { perSecond: number; grants: number; slotWaitMs?: number }]>([
    ['0.1 a second and two grants', { perSecond: 0.1, grants: 2 }],
    ['0.25 a second and four grants', { perSecond: 0.25, grants: 4 }],
    ['0.1 a second on Lambda and two grants', { perSecond: 0.1, grants: 2, slotWaitMs: 1000 }],
    ['1 a second and six grants', { perSecond: 1, grants: 6 }],
    ['16 a second on Lambda and 20 grants', { perSecond: 16, grants: 20, slotWaitMs: 1000 }],
  ])('starve no newcomer of another: %s', async (_what, { perSecond, grants, slotWaitMs = 5000 }) => {
    const fleet = startFleet(3, slotWaitMs)
    const { clock } = fleet
    const slotMs = 1040 / perSecond
    const forMs = Math.max(30_000, 40 * slotMs)
    const rate = { perSecond, waitMs: slotWaitMs }
    const { waits, counts } = await clock.run(async () => {
      const served = Array.from({ length: grants }, (_, grant) => {
        const request = (i: number) => ({ ...requestOf(i, `grant-${grant}`), ...rate })
        return hammer(fleet, { forMs, callers: 3, request })
      })
      const end = clock.now() + forMs
      await clock.sleepUntil(clock.now() + 5 * slotMs)
      const newcomers = [0, 1].map(async i => {
        await clock.sleepUntil(clock.now() + 1.3 * i * slotMs)
        return getHonestly(fleet, { ...requestOf('one', `newcomer-${i}`), ...rate })
      })
      const all = (await Promise.all(newcomers)).map(({ waitMs }) => waitMs)
      await clock.sleepUntil(end)
      return { waits: all, counts: served.map(({ slots }) => slots.length) }
    })
    expect(Math.max(...waits)).toBeLessThanOrEqual(8 * slotMs + 5000)
    // and they take turns
    expect(Math.min(...counts) / Math.max(...counts)).toBeGreaterThan(0.4)
  })
})

describe('a refusal says whose share is full', () => {
  function refusalOf(requests: readonly ReservationRequest[], late: Partial<ReservationRequest>) {
    const { rateLimiter } = startInstance()
    for (const request of requests) rateLimiter.join(request)
    return rateLimiter.refusal({ ...REQUEST, ...late })
  }
  const many = (count: number, grant?: string) => Array.from({ length: count }, (_, i) => requestOf(i, grant))

  test.each([
    ['the grant', many(39), requestOf('late'), 'the grant has its share'],
    ['the principal', Array.from({ length: 26 }, () => REQUEST), REQUEST, 'the principal has its part'],
    ['the replacements', many(20), { ...requestOf('late'), isReplacement: true }, 'comes last'],
    ['all grants', Array.from({ length: 77 }, (_, i) => requestOf(0, `${i}`)), REQUEST, 'every slot'],
  ])('that of %s', (_name, requests, late, reason) => {
    expect(refusalOf(requests, late)).toMatchObject({
      code: 'throttled',
      status: 429,
      publicMessage: 'too many new tokens for this database at once; try again',
      reason: expect.stringContaining(reason),
    })
  })
})
