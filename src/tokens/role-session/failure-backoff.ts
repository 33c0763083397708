import { asJetonError, JetonError } from '../../errors.ts'
import { backoffMs, jitteredMs } from '../../lib/backoff.ts'

/** With the jitter on top, a back-off is `MAX_BACKOFF_MS` at most. */
const BACKOFF = { firstMs: 1000, maxMs: 25_000 }
const JITTER = { low: 0.8, high: 1.2 }
/** A time further ahead was written by a wrong clock. */
const MAX_BACKOFF_MS = 30_000
/** How long an instance has for its probe: longer than a slow store and the deadline of STS (8 s) together. */
const MAX_PROBE_MS = 12_000
/** How soon to read the result of another caller's probe: it may be there long before `MAX_PROBE_MS` have passed. */
export const PROBE_POLL_MS = 1000

/** Why a role cannot be assumed, and until when no instance tries. Stored without encryption: never a secret. */
export interface RoleFailure {
  /** Consecutive failures. */
  readonly failures: number
  /** From when on (ms) one instance may probe. */
  readonly retryAt: number
  readonly code: 'role_refused' | 'temporarily_unavailable'
  readonly reason: string
  readonly publicMessage: string
  /** Whether `retryAt` is the end of the time that one instance has for its probe. */
  readonly isProbed?: boolean | undefined
}

/**
 * Returns the role's failure after `previous` and now `cause`, with a back-off of 1 s, twice as long each time, up to 25 s,
 * jittered by a fifth. `random` is from 0 to 1. Returns undefined if `cause` says nothing about the role.
 */
export function failureAfter(
  cause: unknown,
  { previous, now, random }: { previous: RoleFailure | undefined; now: number; random: number },
): RoleFailure | undefined {
  const { code, publicMessage, reason = publicMessage } = asJetonError(cause)
  if (!isRoleFailureCode(code)) return undefined
  const failures = (previous?.failures ?? 0) + 1
  const retryAt = now + Math.round(jitteredMs(backoffMs(failures - 1, BACKOFF), { ...JITTER, random }))
  return { failures, retryAt, code, reason, publicMessage }
}

/** Whether an error of this code says something about a role. */
export function isRoleFailureCode(code: unknown): code is RoleFailure['code'] {
  return code === 'role_refused' || code === 'temporarily_unavailable'
}

/** Returns the failure as other instances see it while this one probes. If this one dies, its time to probe ends by itself. */
export function markProbing(failure: RoleFailure, now: number): RoleFailure {
  return { ...failure, retryAt: now + MAX_PROBE_MS, isProbed: true }
}

/** Returns the failure as an instance keeps it while another one probes: it soon reads the result. */
export function probingElsewhere(failure: RoleFailure, now: number): RoleFailure {
  return { ...failure, retryAt: Math.min(failure.retryAt, now + PROBE_POLL_MS) }
}

/** Returns what is left of the back-off (ms): 0 if it is over, or longer than any, because a wrong clock wrote it. */
export function remainingBackoffMs({ retryAt }: RoleFailure, now: number): number {
  const leftMs = retryAt - now
  return leftMs > MAX_BACKOFF_MS ? 0 : Math.max(0, leftMs)
}

/** Returns the error for callers. `role_refused` has no `Retry-After`, because waiting does not help. */
export function failureError({ code, reason, publicMessage }: RoleFailure, retryAfterMs: number): JetonError {
  const retry = code === 'temporarily_unavailable' ? { retryAfterMs } : {}
  return new JetonError(code, { publicMessage, reason, ...retry })
}
