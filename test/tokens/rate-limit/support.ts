import { sha256Hex } from '../../../src/lib/hash.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { createRateLimiter, type RateLimiter } from '../../../src/tokens/rate-limit/rate-limiter.ts'
import type { ReservationRequest } from '../../../src/tokens/rate-limit/reservation.ts'
import { slotOwner } from '../../../src/tokens/rate-limit/slot-owner.ts'
import { type SlotClaim, WEIGHT } from '../../../src/tokens/rate-limit/slot-share.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { asEncrypted } from '../../support/service/as-encrypted.ts'

export const OWNER = slotOwner('orders', { issuer: 'ci', subject: 'app' })

export const REQUEST: ReservationRequest = {
  resource: 'r',
  owner: OWNER,
  keyId: 'key',
  perSecond: 16,
  waitMs: 5000,
  hasPriority: false,
}

/** A request of a principal of its own under a grant, for a token of its own. */
export function requestOf(subject: string | number, grant = 'orders'): ReservationRequest {
  const owner = slotOwner(grant, { issuer: 'ci', subject: `${subject}` })
  return { ...REQUEST, owner, keyId: sha256Hex(`${grant}/${subject}`) }
}

/** Claims of as many grants, each with one principal. */
export function claimsOf(count: number): SlotClaim[] {
  return Array.from({ length: count }, (_, i) => claimOf(`grant-${i}`))
}

export function claimOf(
  grant: string,
  { subject = 'app', weight = WEIGHT.newcomer as number } = {},
): SlotClaim {
  return { owner: slotOwner(grant, { issuer: 'ci', subject }), weight }
}

/** The rate limiters of a fleet, on one store. */
export function startFleet(instances: number) {
  const clock = virtualClock()
  const store = createMemoryStore(clock)
  const rateLimiters = Array.from({ length: instances }, () =>
    createRateLimiter({ encryptedStore: store, clock }),
  )
  return { clock, store, rateLimiters }
}

/** One instance, on a store that counts its calls unless another is given. */
export function startInstance(wrap: (inner: Store, clock: VirtualClock) => Store = inner => inner) {
  const clock = virtualClock()
  const store = countingStore(wrap(createMemoryStore(clock), clock))
  return { clock, store, rateLimiter: createRateLimiter({ encryptedStore: asEncrypted(store), clock }) }
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
