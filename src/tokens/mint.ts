import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import { resourceKey } from '../rds/database.ts'
import type { Log } from '../telemetry/log.ts'
import { type CachedToken, type CacheEntry, isVendable, useShared } from './cache-entry.ts'
import { createFirstDelivery } from './first-delivery.ts'
import { canBeVended } from './lifetime.ts'
import type { RateLimiter, Reservation, ReservationRequest } from './rate-limit/rate-limiter.ts'
import type { RoleSession, Token } from './token.ts'
import type { TokenKey } from './token-key.ts'
import type { Lease, StoredToken, TokenSnapshot, TokenStore } from './token-store.ts'

/** How long a caller waits for the turn of a new token, unless said otherwise. */
export const SLOT_WAIT_MS = 5000

export interface MinterParts {
  sign(key: TokenKey, what: { session: RoleSession; at: number }): Promise<Token>
  rateLimiter: RateLimiter
  shared: TokenStore
  backgroundTasks: BackgroundTasks
  clock: Clock
  log: Log
  /** How long a caller waits for the turn of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
  /** Told of each token minted. */
  onMinted?: ((key: TokenKey) => void) | undefined
}

/** How to stand in the queue for a turn. */
export interface Queueing extends Pick<ReservationRequest, 'hasPriority' | 'isOptional'> {
  waitMs: number
}

export interface Wanted extends Queueing {
  /** What the store said of the key just now. */
  seen: TokenSnapshot
  /** Whether the token is to stand for one that the database refused. */
  replaces: boolean
}

/** A token that waits for its turn. */
interface Signed extends Pick<StoredToken, 'token' | 'mintedAt'> {
  readonly place: Reservation
  readonly turn: number
}

/** A lease, and what the store had when it was taken. */
interface Leased {
  lease: Lease
  old: StoredToken | undefined
}

export interface Minter {
  /**
   * Mints the next token of a page and writes it there; undefined where another instance was quicker. The record is leased
   * first, so that of all instances one takes a turn; the turn is taken before STS is asked, so that a refusal costs AWS
   * nothing, and waited for before signing. The fleet gets to see the token in the moment it leaves for the first time:
   * whoever finds it on the store may hand it out freely.
   */
  mint(page: CacheEntry, wanted: Wanted): Promise<CachedToken | undefined>
  /** Throws the refusal that `mint` would end in, where that is certain without asking the store. */
  checkSlot(page: CacheEntry, how: Queueing): void
}

export function createMinter(parts: MinterParts): Minter {
  const {
    sign,
    rateLimiter,
    shared,
    backgroundTasks,
    clock,
    log,
    slotWaitMs = SLOT_WAIT_MS,
    onMinted,
  } = parts

  function placeFor({ database }: TokenKey, how: Queueing): ReservationRequest {
    return { resource: resourceKey(database), perSecond: database.newTokensPerSecond, ...how }
  }

  async function anotherTurn(key: TokenKey): Promise<void> {
    const place = await rateLimiter.reserve({
      ...placeFor(key, { hasPriority: true, waitMs: slotWaitMs }),
      isReady: true,
    })
    await clock.sleepUntil(await place.slot())
  }

  /** Nobody waits for it: what it fails with concerns the next who look at the store, and the lease ends by itself. */
  function leaveBehind(key: TokenKey, work: () => Promise<unknown>): void {
    backgroundTasks.add(
      work().catch(cause => {
        const reason = cause instanceof JetonError ? cause.reason : undefined
        log.warn(
          { event: 'token_not_shared', session: key.sessionName, reason },
          'a token could not be shared with other instances',
        )
      }),
    )
  }

  function checkSlot({ key }: CacheEntry, how: Queueing): void {
    const refusal = rateLimiter.refusal(placeFor(key, how))
    if (refusal) throw refusal
  }

  async function mint(
    page: CacheEntry,
    { seen, replaces, ...how }: Wanted,
  ): Promise<CachedToken | undefined> {
    const { key, session } = page
    session.check()
    checkSlot(page, how)
    const lease = await shared.lease(key, seen)
    if (!lease) return undefined
    try {
      const minted = await signAtTurn(page, { lease, how })
      if (minted) page.token = entryOf({ ...minted, replaces }, { page, lease, old: seen.shared })
      return minted && page.token
    } catch (cause) {
      leaveBehind(key, () => lease.release())
      throw cause
    }
  }

  async function signAtTurn(
    { key, session }: CacheEntry,
    { lease, how }: { lease: Lease; how: Queueing },
  ): Promise<Signed | undefined> {
    const place = await rateLimiter.reserve({ ...placeFor(key, how), isReady: session.isFit() })
    try {
      const roleSession = await session.getForSigning()
      const turn = await place.slot()
      const mintedAt = clock.now()
      // it took so long that another may have minted meanwhile
      if (mintedAt >= lease.until) return undefined
      const token = await sign(key, { session: roleSession, at: mintedAt })
      session.markUsed()
      if (!canBeVended(token, clock.now())) throw sessionTooShort(key)
      onMinted?.(key)
      return { token, mintedAt, place, turn }
    } finally {
      place.cancel()
    }
  }

  function entryOf(
    { place, turn, ...minted }: Signed & { replaces: boolean },
    { page, ...leased }: { page: CacheEntry } & Leased,
  ): CachedToken {
    const { key } = page
    const departure = createFirstDelivery({
      turn,
      signedAt: minted.mintedAt,
      place,
      rateLimiter,
      clock,
      anotherTurn: () => anotherTurn(key),
      onDelivered: () => leaveBehind(key, () => share(page, { minted, ...leased })),
      onCancelled: () => leaveBehind(key, () => leased.lease.release()),
    })
    return { ...minted, ...departure, isOurs: true }
  }

  /** Where the lease ended before the token left, what the fleet has agreed on meanwhile is what counts. */
  async function share(
    page: CacheEntry,
    { minted, lease, old }: { minted: StoredToken } & Leased,
  ): Promise<void> {
    if (await lease.publish(minted)) return
    const seen = await shared.read(page.key)
    if (seen.shared && isVendable(seen.shared, clock) && !isSameToken(seen.shared, old))
      useShared(page, seen.shared)
    else if (seen.leasedUntil <= clock.now()) await (await shared.lease(page.key, seen))?.publish(minted)
  }

  return { mint, checkSlot }
}

const isSameToken = (a: StoredToken, b: StoredToken | undefined) =>
  a.token.fingerprint === b?.token.fingerprint

function sessionTooShort(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS gave credentials that end too soon for a token; try again',
    reason: `STS gave ${key.sessionName} a role session with less than 5 minutes left`,
    retryAfterMs: 10_000,
  })
}
