import type { Clock } from '../clock.ts'
import { resourceKey } from '../databases/database.ts'
import { JetonError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { LooseEnds } from '../loose-ends.ts'
import { createDeparture } from './departure.ts'
import type { TokenKey } from './key.ts'
import { canBeVended } from './lifetime.ts'
import type { Pace, Place, PlaceWanted } from './pace.ts'
import { adopt, type Entry, isGood, type Page } from './page.ts'
import type { Lease, Seen, SharedToken, SharedTokens } from './shared-token.ts'
import type { RoleSession, Token } from './token.ts'

/** How long a caller waits for the turn of a new token, unless said otherwise. */
export const TURN_WAIT_MS = 5000

export interface MintParts {
  sign(key: TokenKey, what: { session: RoleSession; at: number }): Promise<Token>
  pace: Pace
  shared: SharedTokens
  looseEnds: LooseEnds
  clock: Clock
  log: Log
  /** How long a caller waits for the turn of a new token, in milliseconds; 5 s unless given. */
  turnWaitMs?: number | undefined
  /** Told of each token minted. */
  onMinted?: ((key: TokenKey) => void) | undefined
}

/** How to stand in the queue for a turn. */
export interface Queueing extends Pick<PlaceWanted, 'ahead' | 'isOptional'> {
  waitMs: number
}

export interface Wanted extends Queueing {
  /** What the shelf said of the key just now. */
  seen: Seen
  /** Whether the token is to stand for one that the database refused. */
  replaces: boolean
}

/** A token that waits for its turn. */
interface Signed extends Pick<SharedToken, 'token' | 'mintedAt'> {
  readonly place: Place
  readonly turn: number
}

/** A lease, and what the shelf had when it was taken. */
interface Leased {
  lease: Lease
  old: SharedToken | undefined
}

export interface Minting {
  /**
   * Mints the next token of a page and writes it there; undefined where another instance was quicker. The record is leased
   * first, so that of all instances one takes a turn; the turn is taken before STS is asked, so that a refusal costs AWS
   * nothing, and waited for before signing. The fleet gets to see the token in the moment it leaves for the first time:
   * whoever finds it on the shelf may hand it out freely.
   */
  mint(page: Page, wanted: Wanted): Promise<Entry | undefined>
  /** Throws the refusal that `mint` would end in, where that is certain without asking the shelf. */
  checkTurn(page: Page, how: Queueing): void
}

export function createMint(parts: MintParts): Minting {
  const { sign, pace, shared, looseEnds, clock, log, turnWaitMs = TURN_WAIT_MS, onMinted } = parts

  function placeFor({ database }: TokenKey, how: Queueing): PlaceWanted {
    return { resource: resourceKey(database), perSecond: database.newTokensPerSecond, ...how }
  }

  async function anotherTurn(key: TokenKey): Promise<void> {
    const place = await pace.join({ ...placeFor(key, { ahead: true, waitMs: turnWaitMs }), isReady: true })
    await clock.sleepUntil(await place.turn())
  }

  /** Nobody waits for it: what it fails with concerns the next who look at the shelf, and the lease ends by itself. */
  function leaveBehind(key: TokenKey, work: () => Promise<unknown>): void {
    looseEnds.add(
      work().catch(cause => {
        const reason = cause instanceof JetonError ? cause.reason : undefined
        log.warn(
          { event: 'token_not_shared', session: key.sessionName, reason },
          'a token could not be shared with other instances',
        )
      }),
    )
  }

  function checkTurn({ key }: Page, how: Queueing): void {
    const refusal = pace.refusal(placeFor(key, how))
    if (refusal) throw refusal
  }

  async function mint(page: Page, { seen, replaces, ...how }: Wanted): Promise<Entry | undefined> {
    const { key, session } = page
    session.check()
    checkTurn(page, how)
    const lease = await shared.lease(key, seen)
    if (!lease) return undefined
    try {
      const minted = await signAtTurn(page, { lease, how })
      if (minted) page.entry = entryOf({ ...minted, replaces }, { page, lease, old: seen.shared })
      return minted && page.entry
    } catch (cause) {
      leaveBehind(key, () => lease.release())
      throw cause
    }
  }

  async function signAtTurn(
    { key, session }: Page,
    { lease, how }: { lease: Lease; how: Queueing },
  ): Promise<Signed | undefined> {
    const place = await pace.join({ ...placeFor(key, how), isReady: session.isFit() })
    try {
      const roleSession = await session.forSigning()
      const turn = await place.turn()
      const mintedAt = clock.now()
      // it took so long that another may have minted meanwhile
      if (mintedAt >= lease.until) return undefined
      const token = await sign(key, { session: roleSession, at: mintedAt })
      session.signed()
      if (!canBeVended(token, clock.now())) throw sessionTooShort(key)
      onMinted?.(key)
      return { token, mintedAt, place, turn }
    } finally {
      place.leave()
    }
  }

  function entryOf(
    { place, turn, ...minted }: Signed & { replaces: boolean },
    { page, ...leased }: { page: Page } & Leased,
  ): Entry {
    const { key } = page
    const departure = createDeparture({
      turn,
      signedAt: minted.mintedAt,
      place,
      pace,
      clock,
      anotherTurn: () => anotherTurn(key),
      onLeft: () => leaveBehind(key, () => share(page, { minted, ...leased })),
      onAbandoned: () => leaveBehind(key, () => leased.lease.release()),
    })
    return { ...minted, ...departure, isOurs: true }
  }

  /** Where the lease ended before the token left, what the fleet has agreed on meanwhile is what counts. */
  async function share(page: Page, { minted, lease, old }: { minted: SharedToken } & Leased): Promise<void> {
    if (await lease.publish(minted)) return
    const seen = await shared.look(page.key)
    if (seen.shared && isGood(seen.shared, clock) && !isSameToken(seen.shared, old)) adopt(page, seen.shared)
    else if (seen.leasedUntil <= clock.now()) await (await shared.lease(page.key, seen))?.publish(minted)
  }

  return { mint, checkTurn }
}

const isSameToken = (a: SharedToken, b: SharedToken | undefined) =>
  a.token.fingerprint === b?.token.fingerprint

function sessionTooShort(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS gave credentials that end too soon for a token; try again',
    reason: `STS gave ${key.sessionName} a role session with less than 5 minutes left`,
    retryAfterMs: 10_000,
  })
}
