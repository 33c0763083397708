import { LRUCache } from 'lru-cache'
import { asJetonError } from '../errors.ts'
import { singleFlightByKey } from '../lib/single-flight.ts'
import type { EncryptedStore } from '../store/store.ts'
import {
  type CachedToken,
  type CacheEntry,
  type CurrentUse,
  createEntry,
  hasMinimum,
  isRejected,
  isReportUnchecked,
  isSuccessor,
  type Obtained,
  usableToken,
  useShared,
} from './cache-entry.ts'
import { type CacheRequest, isSameRequest } from './cache-request.ts'
import { createMinter, type MinterParts } from './mint.ts'
import { createObtainer } from './obtain.ts'
import { createRenewer } from './renew.ts'
import { createSessionProvider, type RoleAssumer } from './role-session/session-provider.ts'
import type { Token } from './token.ts'
import { deliveryOf, deliveryOfObtained, type TokenDelivery } from './token-delivery.ts'
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

/** The current tokens of all keys. */
export interface TokenCache {
  /**
   * Returns the current token of a key, the same for every instance that shares the store; mints one if there is none that
   * can be vended. Throws `throttled`, `role_refused` or `temporarily_unavailable`.
   */
  get(key: TokenKey, request: CacheRequest): Promise<TokenDelivery>
  /**
   * Returns at once the token that `get` would resolve with, if that has been delivered and the request does not cause its
   * renewal; else undefined, and nothing has changed. Never throws.
   */
  recall(key: TokenKey, request: Pick<CacheRequest, 'minimumMs'>): Token | undefined
  /** Returns what is known of each key, to be read only. */
  entries(): Iterable<CacheEntry>
}

/**
 * Returns a cache with one current token for each key. Nothing runs by timer: a renewal starts with a request. The current
 * token is usable if it can be vended, lasts as long as the request needs, and is not reported by it as rejected. The first row
 * that fits holds; a request whose wait did not bring a usable token starts again.
 *
 *     the current token     and                                                     then
 *     usable                the request reports another, the store unread for 1 s   renewOrUse, after a read
 *     usable                is fresh, or a request is renewing it                   useCached: no call to the store or AWS
 *     usable                is past refreshAfter                                    renewOrUse: this request renews
 *     none, or not usable   a request is getting or renewing one                    joinFlight: wait for that
 *     none, or not usable   –                                                       fetchNew: from the store, or mint
 */
export function createTokenCache(parts: TokenCacheParts): TokenCache {
  const { roleAssumer: roles, encryptedStore, clock } = parts
  const tokenStore = createTokenStore({ encryptedStore, clock })
  const minter = createMinter({ ...parts, tokenStore })
  const renew = createRenewer({ ...parts, ...minter, read })
  const obtainer = createObtainer({ ...parts, ...minter, read })
  const entries = new LRUCache<string, CacheEntry>({ max: MAX_KEYS })
  const flights = singleFlightByKey<Obtained>()
  const renewals = singleFlightByKey<Obtained | undefined>()

  function read(entry: CacheEntry): Promise<TokenSnapshot> {
    entry.lastReadAt = clock.now()
    return tokenStore.read(entry.key)
  }

  function entryFor(key: TokenKey): CacheEntry {
    const known = entries.get(key.id)
    const entry = known ?? createEntry(key, createSessionProvider(key, { ...parts, roles }))
    if (!known) entries.set(key.id, entry)
    entry.key = key
    return entry
  }

  async function get(key: TokenKey, request: CacheRequest): Promise<TokenDelivery> {
    for (;;) {
      const entry = entryFor(key)
      // no await until one of them is chosen: otherwise two requests could start the same flight
      const delivery =
        useCached(entry, request) ??
        (await (renewOrUse(entry, request) ?? joinFlight(entry, request) ?? fetchNew(entry, request)))
      if (delivery) return delivery
    }
  }

  function useCached(entry: CacheEntry, request: CacheRequest): TokenDelivery | undefined {
    const current = usableToken(entry, { request, now: clock.now() })
    if (!current || isReportUnchecked(entry, { request, now: clock.now() }) || isRenewalDue(entry, current))
      return undefined
    return deliveryOf(current, { cached: true })
  }

  function renewOrUse(
    entry: CacheEntry,
    request: CacheRequest,
  ): Promise<TokenDelivery | undefined> | undefined {
    const current = usableToken(entry, { request, now: clock.now() })
    if (!current) return undefined
    return isReportUnchecked(entry, { request, now: clock.now() })
      ? checkReport(entry, { current, request })
      : renewOrKeep(entry, { current, request })
  }

  /** The rejected token may be one that another instance has minted since: then this instance starts again with that. */
  async function checkReport(entry: CacheEntry, use: CurrentUse): Promise<TokenDelivery | undefined> {
    const { current } = use
    const stored = (await read(entry).catch(() => undefined))?.stored
    if (!isSuccessor(stored, { current, now: clock.now() })) return renewOrKeep(entry, use)
    useShared(entry, stored)
    return undefined
  }

  async function renewOrKeep(
    entry: CacheEntry,
    { current, request }: CurrentUse,
  ): Promise<TokenDelivery | undefined> {
    const { owner } = request
    const renewed = isRenewalDue(entry, current)
      ? await renewals.run(entry.key.id, () => renew(entry, { current, owner }))
      : undefined
    if (!renewed) return deliveryOf(current, { cached: true })
    // the successor of another instance may be shorter than its predecessor
    return hasMinimum(renewed.cachedToken, { request, now: clock.now() })
      ? deliveryOfObtained(renewed)
      : undefined
  }

  function joinFlight(
    entry: CacheEntry,
    request: CacheRequest,
  ): Promise<TokenDelivery | undefined> | undefined {
    // a renewal may bring a usable token, or find no slot soon enough for itself
    const renewal = renewals.get(entry.key.id)
    if (renewal) return renewal.then(() => undefined)
    const flight = flights.get(entry.key.id)
    return flight && joinOrTryAlone(entry, { request, flight })
  }

  /**
   * What refuses the caller that started the flight must not refuse this one: its share may have room, and what lasts too
   * short for the other may do for it.
   */
  async function joinOrTryAlone(
    entry: CacheEntry,
    { request, flight }: { request: CacheRequest; flight: Promise<Obtained> },
  ): Promise<TokenDelivery | undefined> {
    const starter = entry.flightRequest
    try {
      const { cachedToken } = await flight
      const isOfUse =
        !isRejected(cachedToken, request.rejectedFingerprint) &&
        hasMinimum(cachedToken, { request, now: clock.now() })
      return isOfUse ? deliveryOf(cachedToken, { cached: true }) : undefined
    } catch (cause) {
      const isThrottled = asJetonError(cause).code === 'throttled'
      const needsLess = (starter?.minimumMs ?? 0) > (request.minimumMs ?? 0)
      if (!(isThrottled || needsLess) || (starter && isSameRequest(starter, request))) throw cause
      obtainer.check(entry, request)
      return undefined
    }
  }

  async function fetchNew(entry: CacheEntry, request: CacheRequest): Promise<TokenDelivery> {
    entry.flightRequest = request
    return deliveryOfObtained(await flights.run(entry.key.id, () => obtainer.obtain(entry, request)))
  }

  function isRenewalDue({ key: { id } }: CacheEntry, { token }: CachedToken): boolean {
    return clock.now() >= token.refreshAfter && !flights.has(id) && !renewals.has(id)
  }

  function recall(key: TokenKey, request: Pick<CacheRequest, 'minimumMs'>): Token | undefined {
    const entry = entries.get(key.id)
    if (!entry) return undefined
    const current = usableToken(entry, { request, now: clock.now() })
    if (!current?.isDelivered() || isRenewalDue(entry, current)) return undefined
    entry.key = key
    return current.token
  }

  return { get, recall, entries: () => entries.values() }
}
