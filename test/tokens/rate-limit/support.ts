import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { createRateLimiter, type RateLimiter } from '../../../src/tokens/rate-limit/rate-limiter.ts'
import type { ReservationRequest } from '../../../src/tokens/rate-limit/reservation.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'

export const REQUEST: ReservationRequest = {
  resource: 'r',
  perSecond: 16,
  waitMs: 5000,
  hasPriority: false,
}

/** The rate limiters of a fleet, on one store. */
export function startFleet(instances: number) {
  const clock = virtualClock()
  const store = createMemoryStore(clock)
  const rateLimiters = Array.from({ length: instances }, () => createRateLimiter({ store, clock }))
  return { clock, store, rateLimiters }
}

/** One instance, on a store that counts its calls unless another is given. */
export function startInstance(wrap: (inner: Store, clock: VirtualClock) => Store = inner => inner) {
  const clock = virtualClock()
  const store = countingStore(wrap(createMemoryStore(clock), clock))
  return { clock, store, rateLimiter: createRateLimiter({ store, clock }) }
}

export async function nextSlot(
  rateLimiter: RateLimiter,
  request: Partial<ReservationRequest> = {},
): Promise<number> {
  const reservation = await rateLimiter.reserve({ ...REQUEST, ...request })
  return reservation.slot()
}

export interface CountingStore extends Store {
  readonly calls: { read: number; swap: number }
}

export function countingStore(inner: Store): CountingStore {
  const calls = { read: 0, swap: 0 }
  return {
    calls,
    read(key) {
      calls.read++
      return inner.read(key)
    },
    compareAndSwap(write) {
      calls.swap++
      return inner.compareAndSwap(write)
    },
  }
}

/** A store that takes some time for each call. */
export function slowStore(
  inner: Store,
  { clock, readMs, swapMs = readMs }: { clock: VirtualClock; readMs: number; swapMs?: number },
): Store {
  const pause = (ms: number) => clock.sleepUntil(clock.now() + ms)
  return {
    read: key => pause(readMs).then(() => inner.read(key)),
    compareAndSwap: write => pause(swapMs).then(() => inner.compareAndSwap(write)),
  }
}
