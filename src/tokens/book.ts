import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { resourceKey } from '../databases/database.ts'
import { JetonError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Assume } from './assume.ts'
import { createDeparture, type Departure } from './departure.ts'
import type { TokenKey } from './key.ts'
import { createKeySession, type KeySession } from './key-session.ts'
import { canBeVended, isFromTheFuture } from './lifetime.ts'
import type { Pace, Place } from './pace.ts'
import type { RoleSession, Token } from './token.ts'

/** Keys remembered at once: a token, its role session and little else, about 5 KB each. */
export const BOOK_PAGES = 20_000
/** How long a caller waits for the turn of a new token. */
const TURN_WAIT_MS = 5000
/** How long the one request that renews waits, while the old token is still good. */
const RENEWAL_WAIT_MS = 250
/** However often callers say that a token was refused, its key mints no more often than this. */
const BETWEEN_MINTS_MS = 10_000

export interface BookParts {
  assume: Assume
  sign(key: TokenKey, what: { session: RoleSession; at: number }): Promise<Token>
  pace: Pace
  clock: Clock
  log: Log
  /** Told of each token minted. */
  onMinted?: (key: TokenKey) => void
}

export interface Held {
  readonly token: Token
  /** False only for the request that minted it. */
  readonly cached: boolean
  /**
   * To be awaited just before the token leaves: resolves at once for a token that has left before; where the token's
   * own turn went by meanwhile (a log that hung), waits for another.
   */
  handOut(): Promise<void>
}

export interface Book {
  /**
   * The current token of a key, minted where there is none that can be vended. `refused` is the fingerprint of a token
   * that the database refused: if it is still the current one, another is minted, and if that one is refused too, with a
   * new role session. Throws `throttled`, `role_refused` or `temporarily_unavailable`.
   */
  current(key: TokenKey, ask: { refused?: string | undefined }): Promise<Held>
}

/** The current token of a key with what is known of it. */
interface Entry extends Departure {
  readonly token: Token
  /** Whether it stands for one that the database refused. */
  readonly replaces: boolean
}

interface Page {
  /** As the caller's configuration has it: limits may change under one key. */
  key: TokenKey
  readonly session: KeySession
  entry?: Entry
  /** When something was last minted for this key (ms). */
  mintedAt: number
  /** When a renewal last failed (ms). */
  failedAt: number
}

/** How to stand in the queue for a turn. */
interface Queueing {
  ahead: boolean
  waitMs: number
}

/**
 * The book of tokens: one current token for each key, one flight to mint it however many ask, and from `refreshAfter` on
 * one renewal that runs ahead while everyone else goes on getting the old token. Nothing runs by timer: a renewal starts
 * with a request. A new token is signed at its turn, by a request that hands it out there and then.
 */
export function createBook({ assume, sign, pace, clock, log, onMinted }: BookParts): Book {
  const pages = new LRUCache<string, Page>({ max: BOOK_PAGES })
  const flights = new Map<string, Promise<Entry>>()
  const renewals = new Map<string, Promise<Entry | undefined>>()

  function newPage(key: TokenKey): Page {
    return { key, session: createKeySession(key, { assume, clock }), mintedAt: 0, failedAt: 0 }
  }

  function joinQueue({ database }: TokenKey, how: Queueing): Promise<Place> {
    return pace.join({ resource: resourceKey(database), perSecond: database.newTokensPerSecond, ...how })
  }

  async function anotherTurn(key: TokenKey): Promise<void> {
    const place = await joinQueue(key, { ahead: true, waitMs: TURN_WAIT_MS })
    await place.turn()
  }

  /** The turn is taken before STS is asked, so that a refusal costs nothing, and waited for before signing. */
  async function mint(page: Page, { replaces, ...how }: Queueing & { replaces: boolean }): Promise<Entry> {
    const { key } = page
    const place = await joinQueue(key, how)
    try {
      const session = await page.session.forSigning()
      const turn = await place.turn()
      const token = await sign(key, { session, at: clock.now() })
      page.session.signed()
      if (!canBeVended(token, clock.now())) throw sessionTooShort(key)
      page.entry = {
        token,
        replaces,
        ...createDeparture({ pace, turn, anotherTurn: () => anotherTurn(key) }),
      }
      page.mintedAt = clock.now()
      pages.set(key.id, page)
      onMinted?.(key)
      return page.entry
    } finally {
      place.leave()
    }
  }

  /** One at a time for each key. */
  function fly<T>(kind: Map<string, Promise<T>>, { id }: TokenKey, work: () => Promise<T>): Promise<T> {
    const flight = work().finally(() => kind.delete(id))
    kind.set(id, flight)
    return flight
  }

  /** A token for those who cannot be given the current one: there is none, it is too old, or it was refused. */
  async function replace(page: Page, refused: Entry | undefined): Promise<Entry> {
    const restMs = restAfter(page.mintedAt)
    if (restMs > TURN_WAIT_MS) throw resting(restMs)
    // what is renewed goes first; what was refused, or is of long ago, is as new as what nobody has yet
    const isInUse =
      refused === undefined && page.entry !== undefined && page.entry.token.expiresAt > clock.now()
    await clock.sleepUntil(clock.now() + restMs)
    if (refused?.replaces) page.session.forget()
    return mint(page, { ahead: isInUse, waitMs: TURN_WAIT_MS - restMs, replaces: refused !== undefined })
  }

  /** The renewed token for the one request that renews; undefined for everyone who is to go on with the old one. */
  async function renewed(page: Page): Promise<Entry | undefined> {
    const { key, session } = page
    const isAtRest = restAfter(page.mintedAt) > 0 || restAfter(page.failedAt) > 0
    const isUnderWay = flights.has(key.id) || renewals.has(key.id) || session.isBeingRenewed()
    if (isAtRest || isUnderWay) return undefined
    const goOnWithTheOld = (cause: unknown) => {
      if (cause instanceof JetonError && cause.code === 'throttled') return undefined
      page.failedAt = clock.now()
      const reason = cause instanceof JetonError ? cause.reason : undefined
      log.warn({ session: key.sessionName, reason }, 'renewal failed')
      return undefined
    }
    if (!session.isFit()) {
      session.renew().catch(goOnWithTheOld)
      return undefined
    }
    const how = { ahead: true, waitMs: RENEWAL_WAIT_MS, replaces: false }
    return fly(renewals, key, () => mint(page, how).catch(goOnWithTheOld))
  }

  /** How much longer a key is left alone after `since`; not at all where the clock was put back behind it. */
  function restAfter(since: number): number {
    const pastMs = clock.now() - since
    return pastMs < 0 ? 0 : Math.max(0, BETWEEN_MINTS_MS - pastMs)
  }

  async function current(key: TokenKey, ask: { refused?: string | undefined }): Promise<Held> {
    const page = pages.get(key.id) ?? newPage(key)
    page.key = key
    const { entry } = page
    const wasRefused = entry !== undefined && entry.token.fingerprint === ask.refused
    if (entry && !wasRefused && isGood(entry.token)) {
      const newer = clock.now() < entry.token.refreshAfter ? undefined : await renewed(page)
      return held(newer ?? entry, { cached: newer === undefined })
    }
    const renewal = renewals.get(key.id)
    // it may bring what is wanted, or find no turn as soon as it wants one
    if (renewal) return renewal.then(() => current(key, ask))
    const flight = flights.get(key.id)
    if (flight) return held(await flight, { cached: true })
    const minting = fly(flights, key, () => replace(page, wasRefused ? entry : undefined))
    return held(await minting, { cached: false })
  }

  function isGood(token: Token): boolean {
    return canBeVended(token, clock.now()) && !isFromTheFuture(token, clock.now())
  }

  return { current }
}

function held({ token, leave }: Entry, { cached }: { cached: boolean }): Held {
  return { token, cached, handOut: leave }
}

function sessionTooShort(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS gave credentials that end too soon for a token; try again',
    reason: `STS gave ${key.sessionName} a role session with less than 5 minutes left`,
    retryAfterMs: BETWEEN_MINTS_MS,
  })
}

function resting(restMs: number): JetonError {
  return new JetonError('throttled', {
    publicMessage: 'this token was signed moments ago; another is not signed so soon',
    reason: 'a token was reported as refused within 10 s of its signing',
    retryAfterMs: restMs,
  })
}
