import { LRUCache } from 'lru-cache'
import { singleFlightByKey } from '../lib/single-flight.ts'
import type { EncryptedStore } from '../store/store.ts'
import {
  type CachedToken,
  type CacheEntry,
  createEntry,
  hasRecentRead,
  isRejected,
  isSuccessor,
  type Obtained,
  useShared,
} from './cache-entry.ts'
import { isVendable } from './lifetime.ts'
import { createMinter, type MinterParts } from './mint.ts'
import { createObtainer } from './obtain.ts'
import { createRenewer } from './renew.ts'
import { createSessionProvider, type RoleAssumer } from './role-session/session-provider.ts'
import type { Token } from './token.ts'
import type { TokenKey } from './token-key.ts'
import { createTokenStore, type TokenSnapshot } from './token-store.ts'

/** The most keys in the cache. Each has a token, a role session and little else: about 5 KB. */
export const MAX_KEYS = 20_000

export interface TokenCacheParts extends Omit<MinterParts, 'tokenStore'> {
  roleAssumer: RoleAssumer
  /** Holds the fleet's tokens. */
  encryptedStore: EncryptedStore
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

/** A token for one request, and its way out of the process. */
export interface TokenDelivery {
  readonly token: Token
  /** False only for the request that minted it. */
  readonly cached: boolean
  /**
   * Await it just before the token leaves. Resolves at once for a token that was delivered before; if a new token missed
   * its slot (the audit log hung), waits for another. Throws `throttled` if none is near enough.
   */
  deliver(): Promise<void>
  /** Call instead if the token does not leave, so that other instances need not wait for it. */
  cancel(): void
}

export interface GetTokenOptions {
  /**
   * The fingerprint of a token that the database rejected. If it is still the current one, another is minted; if that one
   * is rejected too, with a new role session.
   */
  rejectedFingerprint?: string | undefined
}

/** The current tokens of all keys. */
export interface TokenCache {
  /**
   * Returns the current token of a key, the same for every instance that shares the store; mints one if there is none that
   * can be vended. Throws `throttled`, `role_refused` or `temporarily_unavailable`.
   */
  get(key: TokenKey, options: GetTokenOptions): Promise<TokenDelivery>
}

/**
 * Returns a cache with one current token for each key. Nothing runs by timer: a renewal starts with a request. The current
 * token is usable if it can be vended and the request does not report it as rejected. The first row that fits holds; a
 * request whose wait did not bring a usable token starts again.
 *
 *     the current token     and                                                     then
 *     usable                the request reports another, the store unread for 1 s   renewOrUse, after a read
 *     usable                is fresh, or a request is renewing it                   useCached: no call to the store or AWS
 *     usable                is past refreshAfter                                    renewOrUse: this request renews
 *     none, or not usable   a request is getting or renewing one                    joinFlight: wait for that
 *     none, or not usable   –                                                       fetchNew: from the store, or mint
 */
export function createTokenCache(parts: TokenCacheParts): TokenCache {
  const { roleAssumer, encryptedStore, clock } = parts
  const tokenStore = createTokenStore({ encryptedStore, clock })
  const minter = createMinter({ ...parts, tokenStore })
  const renew = createRenewer({ ...parts, ...minter, read })
  const obtain = createObtainer({ ...parts, ...minter, read })
  const entries = new LRUCache<string, CacheEntry>({ max: MAX_KEYS })
  const flights = singleFlightByKey<Obtained>()
  const renewals = singleFlightByKey<Obtained | undefined>()

  function read(entry: CacheEntry): Promise<TokenSnapshot> {
    entry.lastReadAt = clock.now()
    return tokenStore.read(entry.key)
  }

  function entryFor(key: TokenKey): CacheEntry {
    const known = entries.get(key.id)
    const entry = known ?? createEntry(key, createSessionProvider(key, { roles: roleAssumer, clock }))
    if (!known) entries.set(key.id, entry)
    entry.key = key
    return entry
  }

  async function get(key: TokenKey, { rejectedFingerprint }: GetTokenOptions): Promise<TokenDelivery> {
    for (;;) {
      const entry = entryFor(key)
      // no await until one of them is chosen: otherwise two requests could start the same flight
      const delivery =
        useCached(entry, rejectedFingerprint) ??
        (await (renewOrUse(entry, rejectedFingerprint) ??
          joinFlight(entry, rejectedFingerprint) ??
          fetchNew(entry, rejectedFingerprint)))
      if (delivery) return delivery
    }
  }

  function useCached(entry: CacheEntry, rejectedFingerprint: string | undefined): TokenDelivery | undefined {
    const current = usableToken(entry, rejectedFingerprint)
    if (!current || isReportUnchecked(entry, rejectedFingerprint) || isRenewalDue(entry, current))
      return undefined
    return deliveryOf(current, { cached: true })
  }

  function renewOrUse(
    entry: CacheEntry,
    rejectedFingerprint: string | undefined,
  ): Promise<TokenDelivery | undefined> | undefined {
    const current = usableToken(entry, rejectedFingerprint)
    if (!current) return undefined
    return isReportUnchecked(entry, rejectedFingerprint)
      ? checkReport(entry, current)
      : renewOrKeep(entry, current)
  }

  /** The rejected token may be one that another instance has minted since: then this instance starts again with that. */
  async function checkReport(entry: CacheEntry, current: CachedToken): Promise<TokenDelivery | undefined> {
    const stored = (await read(entry).catch(() => undefined))?.stored
    if (!isSuccessor(stored, { current, now: clock.now() })) return renewOrKeep(entry, current)
    useShared(entry, stored)
    return undefined
  }

  async function renewOrKeep(entry: CacheEntry, current: CachedToken): Promise<TokenDelivery> {
    const renewed = isRenewalDue(entry, current)
      ? await renewals.run(entry.key.id, () => renew(entry, current))
      : undefined
    return renewed ? deliveryOfObtained(renewed) : deliveryOf(current, { cached: true })
  }

  function joinFlight(
    { key: { id } }: CacheEntry,
    rejectedFingerprint: string | undefined,
  ): Promise<TokenDelivery | undefined> | undefined {
    // a renewal may bring a usable token, or find no slot soon enough for itself
    const renewal = renewals.get(id)
    if (renewal) return renewal.then(() => undefined)
    return flights
      .get(id)
      ?.then(({ cachedToken }) =>
        isRejected(cachedToken, rejectedFingerprint) ? undefined : deliveryOf(cachedToken, { cached: true }),
      )
  }

  async function fetchNew(
    entry: CacheEntry,
    rejectedFingerprint: string | undefined,
  ): Promise<TokenDelivery> {
    return deliveryOfObtained(await flights.run(entry.key.id, () => obtain(entry, rejectedFingerprint)))
  }

  function usableToken(
    { current }: CacheEntry,
    rejectedFingerprint: string | undefined,
  ): CachedToken | undefined {
    if (!current || isRejected(current, rejectedFingerprint)) return undefined
    return isVendable(current.token, clock.now()) ? current : undefined
  }

  function isReportUnchecked(entry: CacheEntry, rejectedFingerprint: string | undefined): boolean {
    return rejectedFingerprint !== undefined && !hasRecentRead(entry, clock.now())
  }

  function isRenewalDue({ key: { id } }: CacheEntry, { token }: CachedToken): boolean {
    return clock.now() >= token.refreshAfter && !flights.has(id) && !renewals.has(id)
  }

  return { get }
}

function deliveryOfObtained({ cachedToken, isMinted }: Obtained): TokenDelivery {
  return deliveryOf(cachedToken, { cached: !isMinted })
}

function deliveryOf({ token, deliver, cancel }: CachedToken, { cached }: { cached: boolean }): TokenDelivery {
  return { token, cached, deliver, cancel }
}
