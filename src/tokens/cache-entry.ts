import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import { ALREADY_DELIVERED, type FirstDelivery } from './first-delivery.ts'
import { isVendable } from './lifetime.ts'
import type { SessionProvider } from './role-session/session-provider.ts'
import type { TokenKey } from './token-key.ts'
import type { StoredToken } from './token-store.ts'

/** After a read, the store is not expected to have more of a key for this long. */
const RECENT_READ_MS = 1000

/** The current token of a key, as this instance has it. */
export interface CachedToken extends StoredToken, FirstDelivery {
  /** Whether this instance minted it: then it most likely has the role session for the next one. */
  readonly mintedHere: boolean
}

/** A token that was not at hand, and whether this request minted it. */
export interface Obtained {
  readonly cachedToken: CachedToken
  readonly isMinted: boolean
}

/** What this instance knows of one key. */
export interface CacheEntry {
  /** As the latest request gave it: a reload may change a database's limits and leave the key's id as it is. */
  key: TokenKey
  readonly session: SessionProvider
  current?: CachedToken
  /** When the store was last read for this key (ms). */
  lastReadAt: number
  /** While it lasts, no renewal is tried. */
  renewalPause: TimeWindow
}

export function createEntry(key: TokenKey, session: SessionProvider): CacheEntry {
  return { key, session, lastReadAt: 0, renewalPause: { since: 0, forMs: 0 } }
}

/** Makes the fleet's token the entry's current one, unless it is that already, and returns it. */
export function useShared(entry: CacheEntry, stored: StoredToken): CachedToken {
  if (entry.current?.token.fingerprint === stored.token.fingerprint) return entry.current
  entry.current = { ...stored, ...ALREADY_DELIVERED, mintedHere: false }
  return entry.current
}

/** Whether the fleet's token is vendable and newer than the one at hand. */
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

export function hasRecentRead({ lastReadAt }: CacheEntry, now: number): boolean {
  return remainingMs({ since: lastReadAt, forMs: RECENT_READ_MS }, now) > 0
}
