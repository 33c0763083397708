import type { JetonError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { lifetimeOf } from '../../src/tokens/lifetime.ts'
import type { RateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import type { Reservation, ReservationRequest } from '../../src/tokens/rate-limit/reservation.ts'
import { isSameOwner, type SlotOwner } from '../../src/tokens/rate-limit/slot-owner.ts'
import type { StoredToken } from '../../src/tokens/token-store.ts'
import { MINUTE } from './instances.ts'

/** A token signed at `mintedAt`; another text is another fingerprint. */
export function storedToken(mintedAt: number, { text = `token-${mintedAt}`, replacements = 0 } = {}) {
  const lifetime = lifetimeOf({ issuedAt: mintedAt, sessionExpiresAt: mintedAt + 60 * MINUTE })
  const token = { text, fingerprint: sha256Hex(text), identity: 'orders.migrator', ...lifetime }
  return { token, mintedAt, replacements } satisfies StoredToken
}

/** A rate limiter whose slots are as far off as a test says, and the calls that it had. */
export interface FakeRateLimiter extends RateLimiter {
  /** How far off the slot of the next reservation is. */
  nextSlotMs: number
  /** How far off the moment is at which the next reservation lets its caller get ready. */
  prepareMs: number
  /** What `join`, `reserve` and `refusal` end in. */
  refuses: JetonError | undefined
  /** Whose share alone is full, if `refuses` is set; everybody's unless given. */
  refusesOnly: SlotOwner | undefined
  readonly reserved: ReservationRequest[]
  /** How many places were given up, after the slot too. */
  left: number
  readonly delays: number[]
}

/** How late a delivery may be to count as within its slot. */
export const ON_TIME_MS = 40

export function fakeRateLimiter(clock: Clock): FakeRateLimiter {
  const limiter: FakeRateLimiter = {
    join(request) {
      if (limiter.refuses) throw limiter.refuses
      return { reserve: () => limiter.reserve(request), leave: () => void limiter.left++ }
    },
    nextSlotMs: 0,
    prepareMs: 0,
    refuses: undefined,
    refusesOnly: undefined,
    reserved: [],
    left: 0,
    delays: [],
    async reserve(request): Promise<Reservation> {
      const { refuses, refusesOnly = request.owner } = limiter
      if (refuses && isSameOwner(refusesOnly, request.owner)) throw refuses
      limiter.reserved.push(request)
      const slot = clock.now() + limiter.nextSlotMs
      return {
        prepareAt: clock.now() + limiter.prepareMs,
        async slot() {
          await clock.sleepUntil(slot)
          return slot
        },
        reportDeliveryDelay: ms => void limiter.delays.push(ms),
      }
    },
    refusal: () => limiter.refuses,
    isOnTime: slot => Math.abs(clock.now() - slot) <= ON_TIME_MS,
  }
  return limiter
}
