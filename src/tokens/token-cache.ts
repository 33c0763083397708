import { LRUCache } from 'lru-cache'
import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import type { EncryptedStore } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import {
  type CachedToken,
  type CacheEntry,
  createEntry,
  isVendable,
  type Obtained,
  remainingMs,
  useNewer,
  useShared,
} from './cache-entry.ts'
import { createMinter, type MinterParts, SLOT_WAIT_MS } from './mint.ts'
import { createRenewer } from './renew.ts'
import { createSessionProvider, type RoleAssumer } from './role-session/session-provider.ts'
import type { Token } from './token.ts'
import type { TokenKey } from './token-key.ts'
import { createTokenStore, LEASE_MS, type StoredToken, type TokenSnapshot } from './token-store.ts'

/** Keys remembered at once: a token, its role session and little else, about 5 KB each. */
export const MAX_KEYS = 20_000
/** However often callers say that a token was refused, its key mints no more often than this. */
const BETWEEN_MINTS_MS = 10_000
/** What the store said so long ago is still believed of a key, where looking again would only tell that there is no turn. */
const LOOKED_MS = 1000
/** Waiting for another instance: the first pause, and the longest. */
const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 800

export interface TokenCacheParts
  extends Pick<MinterParts, 'sign' | 'rateLimiter' | 'slotWaitMs' | 'onMinted'> {
  roles: RoleAssumer
  /** Where the fleet's tokens stand. */
  encryptedStore: EncryptedStore
  backgroundTasks: BackgroundTasks
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

export interface TokenDelivery {
  readonly token: Token
  /** False only for the request that minted it. */
  readonly cached: boolean
  /**
   * To be awaited just before the token leaves: resolves at once for a token that has left before; where the token's
   * own turn went by meanwhile (a log that hung), waits for another.
   */
  deliver(): Promise<void>
  /** To be called instead, where the token does not leave: what was minted for it is not kept from other instances. */
  cancel(): void
}

export interface TokenCache {
  /**
   * The current token of a key, the same for every instance that shares the store; minted where there is none that can be
   * vended. `rejectedFingerprint` is the fingerprint of a token that the database refused: if it is still the current one, another is
   * minted, and if that one is refused too, with a new role session. Throws `throttled`, `role_refused` or
   * `temporarily_unavailable`.
   */
  get(key: TokenKey, ask: { rejectedFingerprint?: string | undefined }): Promise<TokenDelivery>
}

/**
 * The cache of tokens: one current token for each key. A token at hand costs no call to anyone. Without one, one flight
 * gets it however many ask: from the store, where another instance has put it or is about to, else by minting. From
 * `refreshAfter` on one request renews while everyone else goes on getting the old token. Nothing runs by timer: a
 * renewal starts with a request. A new token is signed at its turn, by a request that hands it out there and then.
 */
export function createTokenCache(parts: TokenCacheParts): TokenCache {
  const { roles, encryptedStore, clock, random, slotWaitMs = SLOT_WAIT_MS } = parts
  const shared = createTokenStore({ encryptedStore, clock })
  const minting = createMinter({ ...parts, shared })
  const renew = createRenewer({ ...parts, ...minting, look })
  const pages = new LRUCache<string, CacheEntry>({ max: MAX_KEYS })
  const flights = new Map<string, Promise<Obtained>>()
  const renewals = new Map<string, Promise<Obtained | undefined>>()

  function pageOf(key: TokenKey): CacheEntry {
    const known = pages.get(key.id)
    const page = known ?? createEntry(key, createSessionProvider(key, { roles, clock }))
    if (!known) pages.set(key.id, page)
    page.key = key
    return page
  }

  /** One at a time for each key. */
  function fly<T>(kind: Map<string, Promise<T>>, { id }: TokenKey, work: () => Promise<T>): Promise<T> {
    const flight = work().finally(() => kind.delete(id))
    kind.set(id, flight)
    return flight
  }

  function look(page: CacheEntry): Promise<TokenSnapshot> {
    page.lastReadAt = clock.now()
    return shared.read(page.key)
  }

  const hasJustLooked = ({ lastReadAt }: CacheEntry) =>
    remainingMs({ since: lastReadAt, forMs: LOOKED_MS }, clock) > 0

  /** A token for those who cannot be given the one at hand: there is none, it is too old, or the database refused it. */
  async function obtain(page: CacheEntry, rejectedFingerprint: string | undefined): Promise<Obtained> {
    if (hasJustLooked(page)) minting.checkSlot(page, queueing(page.token, rejectedFingerprint))
    const patience = clock.now() + LEASE_MS
    for (let pauses = 0; ; ) {
      const seen = await look(page)
      if (isWanted(seen.shared, { page, rejectedFingerprint }))
        return { entry: useShared(page, seen.shared), isMinted: false }
      const now = clock.now()
      if (seen.leasedUntil <= now) {
        const entry = await replace(page, { seen, rejectedFingerprint })
        if (entry) return { entry, isMinted: true }
      } else if (now >= patience) throw leasedTooLong(page.key)
      else await clock.sleepUntil(now + pauseMs(pauses++))
    }
  }

  /** Whether what the store has is good, and not what was refused, or older than that. */
  function isWanted(
    found: StoredToken | undefined,
    { page, rejectedFingerprint }: { page: CacheEntry; rejectedFingerprint: string | undefined },
  ): found is StoredToken {
    if (!found || isRefused(found, rejectedFingerprint) || !isVendable(found, clock)) return false
    const { token } = page
    return !token || !isRefused(token, rejectedFingerprint) || found.mintedAt > token.mintedAt
  }

  const pauseMs = (pauses: number) =>
    Math.min(FIRST_PAUSE_MS * 2 ** pauses, LONGEST_PAUSE_MS) * (0.5 + random() / 2)

  async function replace(
    page: CacheEntry,
    { seen, rejectedFingerprint }: { seen: TokenSnapshot; rejectedFingerprint: string | undefined },
  ): Promise<CachedToken | undefined> {
    const last = newest(seen.shared, page.token)
    const wasRefused = isRefused(last, rejectedFingerprint)
    const restMs = remainingMs({ since: last?.mintedAt ?? 0, forMs: BETWEEN_MINTS_MS }, clock)
    if (restMs > slotWaitMs) throw resting(restMs)
    await clock.sleepUntil(clock.now() + restMs)
    if (wasRefused && last?.replaces) page.session.discard()
    const { hasPriority, waitMs } = queueing(last, rejectedFingerprint)
    return minting.mint(page, { seen, replaces: wasRefused, hasPriority, waitMs: waitMs - restMs })
  }

  /** What is renewed goes first; what was refused, or is of long ago, is as new as what nobody has yet. */
  function queueing(last: StoredToken | undefined, rejectedFingerprint: string | undefined) {
    const isInUse =
      last !== undefined && !isRefused(last, rejectedFingerprint) && last.token.expiresAt > clock.now()
    return { hasPriority: isInUse, waitMs: slotWaitMs }
  }

  /** Whether another instance has minted the successor of the token at hand: it may be the one that was refused. */
  async function isSucceeded(page: CacheEntry, entry: CachedToken): Promise<boolean> {
    const seen = await look(page).catch(() => undefined)
    return seen !== undefined && useNewer(page, { entry, found: seen.shared, clock }) !== undefined
  }

  async function get(
    key: TokenKey,
    ask: { rejectedFingerprint?: string | undefined },
  ): Promise<TokenDelivery> {
    const page = pageOf(key)
    const { token } = page
    if (token && !isRefused(token, ask.rejectedFingerprint) && isVendable(token, clock)) {
      if (ask.rejectedFingerprint !== undefined && !hasJustLooked(page) && (await isSucceeded(page, token)))
        return get(key, ask)
      const isUnderWay = flights.has(key.id) || renewals.has(key.id)
      if (clock.now() < token.token.refreshAfter || isUnderWay) return held(token, { cached: true })
      const newer = await fly(renewals, key, () => renew(page, token))
      return newer ? held(newer.entry, { cached: !newer.isMinted }) : held(token, { cached: true })
    }
    const renewal = renewals.get(key.id)
    // it may bring what is wanted, or find no turn as soon as it wants one
    if (renewal) return renewal.then(() => get(key, ask))
    const flight = flights.get(key.id)
    if (flight) {
      const got = await flight
      return isRefused(got.entry, ask.rejectedFingerprint) ? get(key, ask) : held(got.entry, { cached: true })
    }
    const got = await fly(flights, key, () => obtain(page, ask.rejectedFingerprint))
    return held(got.entry, { cached: !got.isMinted })
  }

  return { get }
}

function held({ token, deliver, cancel }: CachedToken, { cached }: { cached: boolean }): TokenDelivery {
  return { token, cached, deliver: deliver, cancel: cancel }
}

function isRefused(known: StoredToken | undefined, rejectedFingerprint: string | undefined): boolean {
  return known !== undefined && known.token.fingerprint === rejectedFingerprint
}

function newest(a: StoredToken | undefined, b: StoredToken | undefined): StoredToken | undefined {
  return (b?.mintedAt ?? 0) > (a?.mintedAt ?? 0) ? b : a
}

function leasedTooLong(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'another instance has been at this token for too long; try again',
    reason: `other instances leased ${key.sessionName} one after the other and brought no token`,
    retryAfterMs: 1000,
  })
}

function resting(restMs: number): JetonError {
  return new JetonError('throttled', {
    publicMessage: 'this token was signed moments ago; another is not signed so soon',
    reason: 'a token was reported as refused within 10 s of its signing',
    retryAfterMs: restMs,
  })
}
