import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import {
  ALREADY_DELIVERED,
  createFirstDelivery,
  type FirstDelivery,
  type FirstDeliveryParts,
} from '../../src/tokens/first-delivery.ts'
import type { ReservationRequest } from '../../src/tokens/rate-limit/reservation.ts'
import {
  createTokenStore,
  LEASE_MS,
  type Lease,
  type StoredToken,
  type TokenStore,
} from '../../src/tokens/token-store.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { asEncrypted } from '../support/service/as-encrypted.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'
import { type FakeRateLimiter, fakeRateLimiter, ON_TIME_MS, storedToken } from './fakes.ts'
import { KEY, OWNER, ownerOf } from './instances.ts'

const THROTTLED = new JetonError('throttled', { publicMessage: 'too many' })
const GONE = new JetonError('temporarily_unavailable', { publicMessage: 'no', reason: 'the table is gone' })
const NEXT_RESERVATION: Omit<ReservationRequest, 'owner'> = {
  resource: 'orders',
  keyId: KEY.id,
  perSecond: 16,
  waitMs: 5000,
  hasPriority: true,
  isReady: true,
}

let clock: VirtualClock
let limiter: FakeRateLimiter
let log: LogRecorder
/** This instance's view of the store, and another's. */
let tokenStore: TokenStore
let otherStore: TokenStore
/** What this instance's store fails with. */
let fault: Error | undefined
let superseding: StoredToken[]

beforeEach(() => {
  clock = virtualClock()
  limiter = fakeRateLimiter(clock)
  log = createLogRecorder()
  fault = undefined
  superseding = []
  const encryptedStore = createMemoryStore(clock)
  const { read, compareAndSwap } = encryptedStore
  tokenStore = createTokenStore({
    encryptedStore: asEncrypted({
      read: key => (fault ? Promise.reject(fault) : read(key)),
      compareAndSwap: write => (fault ? Promise.reject(fault) : compareAndSwap(write)),
    }),
    clock,
  })
  otherStore = createTokenStore({ encryptedStore, clock })
})

interface Signed {
  delivery: FirstDelivery
  token: StoredToken
  lease: Lease
}

/** A token signed now under a lease, for a slot that is `slotMs` off. */
async function sign({ slotMs = 0 } = {}): Promise<Signed> {
  const snapshot = await tokenStore.read(KEY)
  const lease = await tokenStore.lease(KEY, snapshot)
  if (!lease) throw new Error('another instance has the lease')
  const token = storedToken(clock.now())
  const parts: FirstDeliveryParts = {
    rateLimiter: limiter,
    tokenStore,
    backgroundTasks: createBackgroundTasks(),
    clock,
    log,
  }
  const delivery = createFirstDelivery(
    {
      key: KEY,
      token,
      previous: snapshot.stored,
      lease,
      reservation: { reportDeliveryDelay: ms => limiter.delays.push(ms) },
      slot: clock.now() + slotMs,
      nextReservation: NEXT_RESERVATION,
      onSuperseded: stored => superseding.push(stored),
    },
    parts,
  )
  return { delivery, token, lease }
}

/** What another instance mints and delivers now. */
async function mintElsewhere(): Promise<StoredToken> {
  const lease = await otherStore.lease(KEY, await otherStore.read(KEY))
  const token = storedToken(clock.now(), { text: 'minted elsewhere' })
  expect(await lease?.publish(token)).toBe(true)
  return token
}

const published = async () => (await otherStore.read(KEY)).stored

/** Returns a function that says whether the work is done. */
function watch(work: Promise<void>): () => boolean {
  let isDone = false
  void work.then(() => {
    isDone = true
  })
  return () => isDone
}

describe('deliver', () => {
  test('waits for the slot, and publishes the token no sooner', async () => {
    const { delivery, token } = await sign({ slotMs: 300 })
    const isDelivered = watch(delivery.deliver(OWNER))
    await clock.advance(299)
    expect([isDelivered(), await published()]).toEqual([false, undefined])
    await clock.advance(1)
    expect([isDelivered(), await published()]).toEqual([true, token])
  })

  test('reports how long after its signature the token was ready to leave', async () => {
    const { delivery } = await sign({ slotMs: 300 })
    await clock.advance(120)
    void delivery.deliver(OWNER)
    expect(limiter.delays).toEqual([120])
  })

  test('takes no other slot while the delivery is on time', async () => {
    const { delivery } = await sign()
    await clock.advance(ON_TIME_MS)
    await delivery.deliver(OWNER)
    expect(limiter.reserved).toEqual([])
  })

  test('takes another slot if it missed its own, and waits for that', async () => {
    const { delivery, token } = await sign()
    await clock.advance(ON_TIME_MS + 1)
    limiter.nextSlotMs = 200
    const isDelivered = watch(delivery.deliver(OWNER))
    await clock.advance(199)
    expect([isDelivered(), await published()]).toEqual([false, undefined])
    await clock.advance(1)
    expect([isDelivered(), await published()]).toEqual([true, token])
    expect(limiter.reserved).toEqual([{ ...NEXT_RESERVATION, owner: OWNER }])
  })

  test('takes another slot within a second if its own is far off because the clock was put back', async () => {
    const { delivery } = await sign({ slotMs: 90_000 })
    const isDelivered = watch(delivery.deliver(OWNER))
    await clock.advance(1000)
    expect([isDelivered(), limiter.reserved.length]).toEqual([true, 1])
  })

  test('waits once for all concurrent deliveries, and not at all after the first', async () => {
    const { delivery } = await sign()
    await clock.advance(ON_TIME_MS + 1)
    limiter.nextSlotMs = 200
    const deliveries = [watch(delivery.deliver(OWNER)), watch(delivery.deliver(OWNER))]
    await clock.advance(200)
    expect(deliveries.map(isDelivered => isDelivered())).toEqual([true, true])
    await clock.advance(60_000)
    await delivery.deliver(OWNER)
    expect([limiter.reserved.length, limiter.delays.length]).toEqual([1, 1])
  })

  test('charges another slot to whoever delivers, so that a full share refuses nobody else', async () => {
    const { delivery, token } = await sign()
    const other = ownerOf(KEY, 'reports')
    await clock.advance(ON_TIME_MS + 1)
    limiter.refuses = THROTTLED
    limiter.refusesOnly = OWNER
    const [own, joined] = await Promise.allSettled([delivery.deliver(OWNER), delivery.deliver(other)])
    expect(own).toMatchObject({ status: 'rejected', reason: THROTTLED })
    expect(joined.status).toBe('fulfilled')
    expect(limiter.reserved).toEqual([{ ...NEXT_RESERVATION, owner: other }])
    await settle()
    expect(await published()).toEqual(token)
  })

  test('rejects if no other slot is near enough, publishes nothing, and tries again next time', async () => {
    const { delivery, token } = await sign()
    await clock.advance(ON_TIME_MS + 1)
    limiter.refuses = THROTTLED
    await expect(delivery.deliver(OWNER)).rejects.toBe(THROTTLED)
    await settle()
    expect(await published()).toBeUndefined()
    limiter.refuses = undefined
    await delivery.deliver(OWNER)
    await settle()
    expect(await published()).toEqual(token)
  })
})

describe('cancel', () => {
  test('releases the lease: another instance mints at once', async () => {
    const { delivery } = await sign()
    delivery.cancel()
    await settle()
    expect((await otherStore.read(KEY)).leasedUntil).toBe(0)
    expect(await mintElsewhere()).toBeDefined()
  })

  test('releases once, however often it is called', async () => {
    const { delivery } = await sign()
    delivery.cancel()
    await settle()
    const token = await mintElsewhere()
    fault = GONE
    delivery.cancel()
    await settle()
    expect([await published(), log.lines]).toEqual([token, []])
  })

  test('changes nothing during and after a delivery', async () => {
    const { delivery, token } = await sign({ slotMs: 100 })
    const isDelivered = watch(delivery.deliver(OWNER))
    delivery.cancel()
    await settle()
    expect((await otherStore.read(KEY)).leasedUntil).toBeGreaterThan(clock.now())
    await clock.advance(100)
    delivery.cancel()
    await settle()
    expect([isDelivered(), await published()]).toEqual([true, token])
  })

  test('by one request lets another deliver the token and publish it', async () => {
    const { delivery, token } = await sign()
    delivery.cancel()
    await settle()
    await delivery.deliver(OWNER)
    await settle()
    expect(await published()).toEqual(token)
  })
})

describe('a lease that ended before the delivery', () => {
  test('leaves the token of the instance that minted meanwhile, which supersedes this one', async () => {
    const { delivery } = await sign({ slotMs: LEASE_MS })
    await clock.advance(LEASE_MS)
    const newer = await mintElsewhere()
    await delivery.deliver(OWNER)
    await settle()
    expect([await published(), superseding]).toEqual([newer, [newer]])
  })

  test('is taken again if no other instance wanted it', async () => {
    const { delivery, token } = await sign({ slotMs: LEASE_MS })
    await clock.advance(LEASE_MS)
    await delivery.deliver(OWNER)
    await settle()
    expect([await published(), superseding]).toEqual([token, []])
  })

  test('is taken again if the stored token is still the previous one', async () => {
    const previous = await mintElsewhere()
    const { delivery, token, lease } = await sign({ slotMs: 1000 })
    await clock.advance(1000)
    await lease.release()
    expect(await published()).toEqual(previous)
    await delivery.deliver(OWNER)
    await settle()
    expect([await published(), superseding]).toEqual([token, []])
  })

  test('is left alone while another instance has it', async () => {
    const { delivery } = await sign({ slotMs: LEASE_MS })
    await clock.advance(LEASE_MS)
    const otherLease = await otherStore.lease(KEY, await otherStore.read(KEY))
    await delivery.deliver(OWNER)
    await settle()
    expect([await published(), superseding]).toEqual([undefined, []])
    expect(await otherLease?.publish(storedToken(clock.now()))).toBe(true)
  })
})

test.each(['deliver', 'cancel'] as const)(
  'a store that cannot be reached does not fail %s: the log says so, without a secret',
  async how => {
    const { delivery, token } = await sign()
    fault = GONE
    await delivery[how](OWNER)
    await settle()
    expect(eventsOf(log)).toEqual(['token_not_shared'])
    expect(log.lines[0]).toMatchObject({
      level: 'warn',
      fields: { session: KEY.sessionName, reason: 'the table is gone' },
    })
    expect(JSON.stringify(log.lines)).not.toContain(token.token.text)
  },
)

test('ALREADY_DELIVERED needs no slot', async () => {
  await ALREADY_DELIVERED.deliver(OWNER)
  ALREADY_DELIVERED.cancel()
  expect(limiter.reserved).toEqual([])
})
