import { TOLERANCE_MS } from '../lib/clock-offset.ts'

/** RDS refuses an older token, whatever its `X-Amz-Expires` says. */
export const TOKEN_LIFETIME_MS = 15 * 60_000
/** How long before its end a token is due for renewal. */
const REFRESH_BEFORE_MS = 6 * 60_000
/** How long a token lasts at least once the caller has it. */
const MIN_REMAINING_MS = 5 * 60_000
/** Between choosing a token and delivering it lie the audit record (2 s at most) and sometimes a slot. */
const DELIVERY_ALLOWANCE_MS = 3000
/** The same for callers that name a minimum: as long as it usually takes, so that the longest minimum leaves a minute of use. */
const MINIMUM_ALLOWANCE_MS = 1000

/** When a token was signed, when it is due for renewal and when it ends; all in milliseconds since the epoch. */
export interface Lifetime {
  readonly issuedAt: number
  readonly refreshAfter: number
  readonly expiresAt: number
}

/**
 * Returns the lifetime of a token: it ends after 15 minutes or with the role session that signed it, whichever is first.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConnectionsPerSecond
 */
export function lifetimeOf({
  issuedAt,
  sessionExpiresAt,
}: {
  issuedAt: number
  sessionExpiresAt: number
}): Lifetime {
  const expiresAt = Math.min(issuedAt + TOKEN_LIFETIME_MS, sessionExpiresAt)
  return { issuedAt, expiresAt, refreshAfter: Math.max(issuedAt, expiresAt - REFRESH_BEFORE_MS) }
}

/**
 * Whether something that ends then, a token or the role session that signs one now, leaves the caller its 5 minutes, or the
 * minimum that it named (ms) if that is longer.
 */
export function canBeVended(
  { expiresAt }: { readonly expiresAt: number },
  now: number,
  minimumMs = 0,
): boolean {
  const neededMs = Math.max(MIN_REMAINING_MS + DELIVERY_ALLOWANCE_MS, minimumMs + MINIMUM_ALLOWANCE_MS)
  return expiresAt - now >= neededMs
}

/**
 * Whether a token may still be vended: it lasts long enough, and was not signed by a clock that has been put back since. AWS
 * refuses a token that was signed ahead of AWS's time. Clocks that differ within the tolerance are not corrected.
 */
export function isVendable(token: Lifetime, now: number, minimumMs = 0): boolean {
  return canBeVended(token, now, minimumMs) && token.issuedAt - now <= TOLERANCE_MS
}

/** Whether the times of a stored token are those of some token: none lasts for longer than 15 minutes. */
export function isCredible({ issuedAt, refreshAfter, expiresAt }: Lifetime): boolean {
  return issuedAt <= refreshAfter && refreshAfter <= expiresAt && expiresAt - issuedAt <= TOKEN_LIFETIME_MS
}

/** Whether a role session outlives a token signed with it now. */
export function outlivesToken({ expiresAt }: { readonly expiresAt: number }, now: number): boolean {
  return expiresAt - now >= TOKEN_LIFETIME_MS
}
