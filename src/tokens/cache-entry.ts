import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import type { CacheRequest } from './cache-request.ts'
import { ALREADY_DELIVERED, type FirstDelivery } from './first-delivery.ts'
import { canBeVended, isVendable } from './lifetime.ts'
import type { SessionProvider } from './role-session/session-provider.ts'
import type { TokenKey } from './token-key.ts'
import type { StoredToken } from './token-store.ts'

/** How long a read of the store counts as recent: another one would most likely return the same. */
const RECENT_READ_MS = 1000

/** A token in this instance's cache. */
export interface CachedToken extends StoredToken, FirstDelivery {
  /** Whether this instance minted it: if so, it most likely has the role session for the next one. */
  readonly mintedHere: boolean
}

/** The token that a request fetched from the store or minted, and which of the two. */
export interface Obtained {
  readonly cachedToken: CachedToken
  readonly isMinted: boolean
}

/** A request that can use the current token, which may be due for renewal. */
export interface CurrentUse {
  readonly current: CachedToken
  readonly request: CacheRequest
}

/** What this instance knows about one key. */
export interface CacheEntry {
  /** The key of the latest request: a reload may change a database's limits without changing the key's id. */
  key: TokenKey
  readonly session: SessionProvider
  current?: CachedToken
  /** What started the last flight for a new token. */
  flightRequest?: CacheRequest
  /** When the store was last read for this key (ms). */
  lastReadAt: number
  /** No renewal is tried while it lasts. */
  renewalPause: RenewalPause
}

/** Why and how long no renewal is tried. */
export interface RenewalPause extends TimeWindow {
  /** Set if only callers of this grant pause, because its share of the slots is full. */
  readonly grant?: string
}

/** Returns an entry without a token. */
export function createEntry(key: TokenKey, session: SessionProvider): CacheEntry {
  return { key, session, lastReadAt: 0, renewalPause: { since: 0, forMs: 0 } }
}

/** Returns the entry's current token after making it the fleet's, unless it is that already. */
export function useShared(entry: CacheEntry, stored: StoredToken): CachedToken {
  if (entry.current?.token.fingerprint === stored.token.fingerprint) return entry.current
  entry.current = { ...stored, ...ALREADY_DELIVERED, mintedHere: false }
  return entry.current
}

/** Whether the fleet's token is vendable and newer than the current one. */
export function isSuccessor(
  stored: StoredToken | undefined,
  { current, now }: { current: StoredToken; now: number },
): stored is StoredToken {
  return stored !== undefined && stored.mintedAt > current.mintedAt && isVendable(stored.token, now)
}

/** Whether a token is the one that a caller reports as rejected by the database. */
export function isRejected(
  stored: StoredToken | undefined,
  rejectedFingerprint: string | undefined,
): boolean {
  return stored !== undefined && stored.token.fingerprint === rejectedFingerprint
}

/** Returns the current token if it can be vended, is not the one that the request reports, and lasts as long as it needs. */
export function usableToken(
  { current }: CacheEntry,
  { request, now }: { request: Pick<CacheRequest, 'rejectedFingerprint' | 'minimumMs'>; now: number },
): CachedToken | undefined {
  if (!current || isRejected(current, request.rejectedFingerprint)) return undefined
  return isVendable(current.token, now, request.minimumMs) ? current : undefined
}

/** Whether what was obtained just now, for another request, lasts as long as this one needs. */
export function hasMinimum(
  { token }: StoredToken,
  { request: { minimumMs }, now }: { request: CacheRequest; now: number },
): boolean {
  return minimumMs === undefined || canBeVended(token, now, minimumMs)
}

/** Whether the store was read for this key within the last second. */
export function hasRecentRead({ lastReadAt }: CacheEntry, now: number): boolean {
  return remainingMs({ since: lastReadAt, forMs: RECENT_READ_MS }, now) > 0
}

/** Whether a request reports a token as rejected, which the store may know more of. */
export function isReportUnchecked(
  entry: CacheEntry,
  { request, now }: { request: Pick<CacheRequest, 'rejectedFingerprint'>; now: number },
): boolean {
  return request.rejectedFingerprint !== undefined && !hasRecentRead(entry, now)
}
