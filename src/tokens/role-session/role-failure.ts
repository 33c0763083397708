import { JetonError } from '../../errors.ts'

const FIRST_REST_MS = 1000
/** With the jitter on top it makes `LONGEST_REST_MS`. */
const LARGEST_STEP_MS = 25_000
/** What lies further ahead was written by a clock that was wrong. */
const LONGEST_REST_MS = 30_000
/** How long an instance may be at asking AWS; longer than a slow store and an STS that answers at its last moment (8 s). */
const PROBE_MS = 12_000
/** How soon to look again where somebody is at asking: the answer may be there long before that time is over. */
export const LOOK_AGAIN_MS = 1000

/** Why a role could not be assumed, and until when nobody tries. As it stands on the store; no secret in it. */
export interface RoleFailure {
  /** In a row. */
  readonly failures: number
  /** The end of the rest (ms). */
  readonly until: number
  readonly code: 'role_refused' | 'temporarily_unavailable'
  readonly reason: string
  readonly publicMessage: string
  /** Whether `until` is how long the one instance has that asks AWS just now. */
  readonly isProbed?: boolean | undefined
}

/**
 * The failure that `cause` makes, after `before`: its rest is 1 s, twice as long each time, up to half a minute, give or
 * take a fifth, so that roles that failed together are not asked together. `random` is from 0 to 1. Undefined where
 * `cause` says nothing of the role.
 */
export function failureOf(
  cause: unknown,
  { before, now, random }: { before: RoleFailure | undefined; now: number; random: number },
): RoleFailure | undefined {
  if (!(cause instanceof JetonError)) return undefined
  const { code, publicMessage } = cause
  if (code !== 'role_refused' && code !== 'temporarily_unavailable') return undefined
  const failures = (before?.failures ?? 0) + 1
  const stepMs = Math.min(FIRST_REST_MS * 2 ** (failures - 1), LARGEST_STEP_MS)
  const until = now + Math.round(stepMs * (0.8 + 0.4 * random))
  return { failures, until, code, reason: cause.reason ?? publicMessage, publicMessage }
}

/** As the fleet is to see it while one instance asks AWS. Should that one die, its time ends by itself. */
export function markProbing(failure: RoleFailure, now: number): RoleFailure {
  return { ...failure, until: now + PROBE_MS, isProbed: true }
}

/** As an instance goes by that has found another at asking AWS. */
export function probingElsewhere(failure: RoleFailure, now: number): RoleFailure {
  return { ...failure, until: Math.min(failure.until, now + LOOK_AGAIN_MS) }
}

/** What is left of the rest (ms); nothing where it is over, or cannot be meant. */
export function restLeftMs({ until }: RoleFailure, now: number): number {
  const leftMs = until - now
  return leftMs > LONGEST_REST_MS ? 0 : Math.max(0, leftMs)
}

/** The error that was remembered; where waiting helps, with what is left to wait. */
export function asError({ code, reason, publicMessage }: RoleFailure, leftMs: number): JetonError {
  const wait = code === 'temporarily_unavailable' ? { retryAfterMs: leftMs } : {}
  return new JetonError(code, { publicMessage, reason, ...wait })
}
