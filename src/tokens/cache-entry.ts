import type { Clock } from '../lib/clock.ts'
import { ALREADY_DELIVERED, type FirstDelivery } from './first-delivery.ts'
import { canBeVended, isFromTheFuture } from './lifetime.ts'
import type { SessionProvider } from './role-session/session-provider.ts'
import type { TokenKey } from './token-key.ts'
import type { StoredToken } from './token-store.ts'

/** The current token of a key, as this instance has it. */
export interface CachedToken extends StoredToken, FirstDelivery {
  /** Whether this instance minted it: then it has the role session for the next one, most likely. */
  readonly isOurs: boolean
}

/** What brought an entry: this request's minting, or another's. */
export interface Obtained {
  readonly entry: CachedToken
  readonly isMinted: boolean
}

/** What this instance knows of one key. */
export interface CacheEntry {
  /** As the last caller's configuration has it: limits may change under one key. */
  key: TokenKey
  readonly session: SessionProvider
  token?: CachedToken
  /** When the store last said something of it (ms). */
  lastReadAt: number
  /** From when on, and for how long (ms), no renewal is tried. */
  rest: { readonly since: number; readonly forMs: number }
}

export function createEntry(key: TokenKey, session: SessionProvider): CacheEntry {
  return { key, session, lastReadAt: 0, rest: { since: 0, forMs: 0 } }
}

/** Goes on with the token that the fleet has; the same entry where that is known already. */
export function useShared(page: CacheEntry, shared: StoredToken): CachedToken {
  if (page.token?.token.fingerprint === shared.token.fingerprint) return page.token
  page.token = { ...shared, ...ALREADY_DELIVERED, isOurs: false }
  return page.token
}

/** The same, where the fleet's is good and newer than `entry`; else undefined. */
export function useNewer(
  page: CacheEntry,
  { entry, found, clock }: { entry: CachedToken; found: StoredToken | undefined; clock: Clock },
): CachedToken | undefined {
  return found && found.mintedAt > entry.mintedAt && isVendable(found, clock)
    ? useShared(page, found)
    : undefined
}

/** Whether a token may still be vended. */
export function isVendable({ token }: StoredToken, clock: Clock): boolean {
  return canBeVended(token, clock.now()) && !isFromTheFuture(token, clock.now())
}

/** How much is left (ms) of a time that began at `since`; nothing where the clock was put back behind it. */
export function remainingMs({ since, forMs }: { since: number; forMs: number }, clock: Clock): number {
  const pastMs = clock.now() - since
  return pastMs < 0 ? 0 : Math.max(0, forMs - pastMs)
}
