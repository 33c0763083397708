/** RDS refuses a token older than this, whatever `X-Amz-Expires` says. */
export const TOKEN_LIFETIME_MS = 15 * 60_000
/** From this long before a token ends, it is renewed ahead of need. */
const REFRESH_BEFORE_MS = 6 * 60_000
/** What a caller is promised to have left. */
export const LEAST_LEFT_MS = 5 * 60_000
/** Between choosing a token and handing it out lie the audit record (2 s at most) and sometimes a turn. */
const HANDING_OUT_MS = 3000
/** Clocks that disagree by less are left as they are. */
const CLOCK_DISAGREEMENT_MS = 2000
/** A role session is signed with only if it outlives the whole of a token's life. */
const LEAST_SESSION_MS = TOKEN_LIFETIME_MS

/** When a token was signed, when it ought to be replaced and when it ends; all in milliseconds since the epoch. */
export interface Lifetime {
  readonly issuedAt: number
  readonly refreshAfter: number
  readonly expiresAt: number
}

/**
 * The true life of a token: it ends with its 15 minutes or with the role session that signed it, whichever is first.
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

/** Whether a token chosen now (or signed now with a session) still has its 5 minutes when it reaches the caller. */
export function canBeVended({ expiresAt }: { readonly expiresAt: number }, now: number): boolean {
  return expiresAt - now >= LEAST_LEFT_MS + HANDING_OUT_MS
}

/** Whether a token was signed by a clock that has been put back since: AWS refuses what is signed ahead of its own time. */
export function isFromTheFuture({ issuedAt }: Lifetime, now: number): boolean {
  return issuedAt - now > CLOCK_DISAGREEMENT_MS
}

/** Whether a role session outlives a token signed with it now. */
export function outlivesToken({ expiresAt }: { readonly expiresAt: number }, now: number): boolean {
  return expiresAt - now >= LEAST_SESSION_MS
}
