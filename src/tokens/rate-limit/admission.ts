import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ReservationRequest } from './reservation.ts'
import { createRetryTimes } from './retry-times.ts'
import type { SlotPool } from './slot-pool.ts'
import { type Shortage, type SlotClaim, WEIGHT } from './slot-share.ts'

/** How soon a caller may come back at the earliest: `Retry-After` has whole seconds. */
const MIN_RETRY_MS = 1000
/** Callers are called back a little more slowly than slots come, so that most of them find one. */
const CALL_BACK_SPACING = 1.25

/** What a request may claim, and what a caller is told that gets no slot. */
export interface Admission {
  /** Returns the request's claim to a slot. */
  claimOf(request: ReservationRequest): SlotClaim
  /** Returns the refusal of a caller, with a moment to come back that is its token's own, if it will come back. */
  refuse(
    request: Pick<ReservationRequest, 'owner' | 'keyId' | 'isOptional'> & SlotClaim,
    shortage: Shortage,
  ): JetonError
  /** Call when the caller has got its slot. */
  onServed(request: Pick<ReservationRequest, 'owner' | 'keyId'>): void
}

export interface AdmissionParts {
  pool: SlotPool
  clock: Clock
  /** Named in error texts. */
  resource: string
}

/** Returns the admission to the slots of one resource. */
export function createAdmission({ pool, clock, resource }: AdmissionParts): Admission {
  const retryTimes = createRetryTimes(clock)

  function weightOf(request: ReservationRequest): number {
    const {
      hasMissedSlot,
      hasPriority,
      isReplacement,
      owner: { grant },
      keyId,
    } = request
    if (hasMissedSlot) return WEIGHT.missed
    if (hasPriority) return WEIGHT.renewal
    if (isReplacement) return WEIGHT.replacement
    if (!retryTimes.hasPromises(grant)) return WEIGHT.newcomer
    const lateness = retryTimes.lateness({ grant, keyId })
    if (lateness === undefined) return WEIGHT.newcomerWithoutPromise
    return WEIGHT.newcomerWithPromise + (WEIGHT.newcomer - WEIGHT.newcomerWithPromise) * lateness
  }

  return {
    claimOf: request => ({ owner: request.owner, weight: weightOf(request) }),
    refuse({ owner, weight, keyId, isOptional }, shortage) {
      const now = clock.now()
      const earliest = Math.max(now + MIN_RETRY_MS, pool.openFrom({ owner, weight }))
      const intervalMs = pool.spacingMs * CALL_BACK_SPACING * Math.max(1, pool.countGrants())
      const retryAt = isOptional
        ? earliest
        : retryTimes.promise({ grant: owner.grant, keyId }, { earliest, intervalMs })
      return new JetonError('throttled', {
        publicMessage: 'too many new tokens for this database at once; try again',
        reason: reasonOf(shortage, resource),
        retryAfterMs: retryAt - now,
      })
    },
    onServed: ({ owner: { grant }, keyId }) => retryTimes.forget({ grant, keyId }),
  }
}

/** Says whose share is full, and what could be done. */
function reasonOf(shortage: Shortage, resource: string): string {
  switch (shortage) {
    case 'slots':
      return `every slot for a new token of ${resource} within the allowed wait is taken; limits.newTokensPerSecond sets their rate`
    case 'grant':
      return `the grant has its share of the slots for new tokens of ${resource}: the rest is for others; limits.newTokensPerSecond sets their rate`
    case 'principal':
      return `the principal has its part of its grant's share of the slots for new tokens of ${resource}: the rest is for others`
    case 'replacement':
      return `a token that replaces one reported as refused comes last: other new tokens of the grant have the slots of ${resource} that it may use`
  }
}
