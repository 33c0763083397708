import type { Traces } from '../../telemetry/traces.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { Reservation } from './reservation.ts'

/** Returns a rate limiter that makes a span of each wait for a slot; `rateLimiter` itself without traces. */
export function traceRateLimiter(rateLimiter: RateLimiter, traces: Traces | undefined): RateLimiter {
  if (!traces) return rateLimiter
  const traced = (reservation: Reservation): Reservation => ({
    ...reservation,
    slot: () => traces.inSpan('jeton.wait_for_slot', reservation.slot),
  })
  return {
    ...rateLimiter,
    join(request) {
      const place = rateLimiter.join(request)
      return { ...place, reserve: async () => traced(await place.reserve()) }
    },
    reserve: async request => traced(await rateLimiter.reserve(request)),
  }
}
