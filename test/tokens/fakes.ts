import type { JetonError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { sha256Hex } from '../../src/lib/hash.ts'
import { lifetimeOf } from '../../src/tokens/lifetime.ts'
import type { RateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import type { Reservation, ReservationRequest } from '../../src/tokens/rate-limit/reservation.ts'
import type { StoredToken } from '../../src/tokens/token-store.ts'
import { MINUTE } from './instances.ts'

/** A token signed at `mintedAt`; another text is another fingerprint. */
export function storedToken(mintedAt: number, { text = `token-${mintedAt}`, isReplacement = false } = {}) {
  const lifetime = lifetimeOf({ issuedAt: mintedAt, sessionExpiresAt: mintedAt + 60 * MINUTE })
  const token = { text, fingerprint: sha256Hex(text), identity: 'orders.migrator', ...lifetime }
  return { token, mintedAt, isReplacement } satisfies StoredToken
}

/** A rate limiter whose slots are as far off as a test says, and the calls that it had. */
export interface FakeRateLimiter extends RateLimiter {
  /** How far off the slot of the next reservation is. */
  nextSlotMs: number
  /** What `reserve` and `refusal` end in. */
  refuses: JetonError | undefined
  readonly reserved: ReservationRequest[]
  cancelled: number
  readonly delays: number[]
}

/** How late a delivery may be to count as within its slot. */
export const ON_TIME_MS = 40

export function fakeRateLimiter(clock: Clock): FakeRateLimiter {
  const limiter: FakeRateLimiter = {
    nextSlotMs: 0,
    refuses: undefined,
    reserved: [],
    cancelled: 0,
    delays: [],
    async reserve(request): Promise<Reservation> {
      if (limiter.refuses) throw limiter.refuses
      limiter.reserved.push(request)
      const slot = clock.now() + limiter.nextSlotMs
      return {
        async slot() {
          await clock.sleepUntil(slot)
          return slot
        },
        cancel() {
          limiter.cancelled++
        },
        reportDeliveryDelay: ms => void limiter.delays.push(ms),
      }
    },
    refusal: () => limiter.refuses,
    isOnTime: slot => clock.now() - slot <= ON_TIME_MS,
  }
  return limiter
}
