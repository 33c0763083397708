import { asJetonError, JetonError } from '../../errors.ts'
import { backoffMs, jitteredMs } from '../../lib/backoff.ts'
import { OwnFailure, roleFailure } from './sts-failure.ts'

/** With the jitter on top, a back-off is `MAX_BACKOFF_MS` at most. */
const BACKOFF = { firstMs: 1000, maxMs: 13_000 }
const JITTER = { low: 0.8, high: 1.2 }
/**
 * As long as a lease. A time further ahead was written by a wrong clock, or by somebody who can write to the store's table:
 * what they write there must keep a role from being assumed for no longer than that.
 */
const MAX_BACKOFF_MS = 16_000
/** After as many failures the back-off grows no more, so there is no need to count on. */
export const MAX_FAILURES = 10
/** How long an instance has for its probe: longer than a slow store (2.5 s) and the deadline of STS (12 s) together. */
const MAX_PROBE_MS = 15_000
/** How soon to read the result of another caller's probe: it may be there long before `MAX_PROBE_MS` have passed. */
export const PROBE_POLL_MS = 1000

/** That a role cannot be assumed, and until when no instance tries. */
export interface RoleFailure {
  /** Consecutive failures, 10 at most. */
  readonly failures: number
  /** From when on (ms) one instance may probe. */
  readonly retryAt: number
  readonly code: 'role_refused' | 'temporarily_unavailable'
  /** What STS said to this instance; undefined if another one met the failure, whose log has it. */
  readonly cause?: JetonError | undefined
  /** Whether this instance alone has it, because of its own credentials or clock: the others are not told. */
  readonly isOwn?: boolean | undefined
  /** Whether `retryAt` is the end of the time that one instance has for its probe. */
  readonly isProbed?: boolean | undefined
}

/**
 * Returns the role's failure after `previous` and now `cause`, with a back-off of 1 s, twice as long each time, up to 13 s,
 * jittered by a fifth. `random` is from 0 to 1. Returns undefined if `cause` says nothing about the role.
 */
export function failureAfter(
  cause: unknown,
  { previous, now, random }: { previous: RoleFailure | undefined; now: number; random: number },
): RoleFailure | undefined {
  const error = asJetonError(cause)
  const { code } = error
  if (!isRoleFailureCode(code)) return undefined
  const failures = Math.min((previous?.failures ?? 0) + 1, MAX_FAILURES)
  const retryAt = now + Math.round(jitteredMs(backoffMs(failures - 1, BACKOFF), { ...JITTER, random }))
  // what the fleet knows to fail is the fleet's
  const isOwn = error instanceof OwnFailure && (previous === undefined || previous.isOwn === true)
  return { failures, retryAt, code, cause: error, ...(isOwn && { isOwn }) }
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
export function failureError(
  { code, cause }: RoleFailure,
  { roleArn, retryAfterMs }: { roleArn: string; retryAfterMs: number },
): JetonError {
  const { publicMessage, reason = publicMessage } = cause ?? roleFailure(code, { roleArn })
  const retry = code === 'temporarily_unavailable' ? { retryAfterMs } : {}
  return new JetonError(code, { publicMessage, reason, ...retry })
}
