import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { JetonError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { LooseEnds } from '../loose-ends.ts'
import type { Shelf } from '../shelf/shelf.ts'
import type { TokenKey } from './key.ts'
import { createKeySession, type Roles } from './key-session.ts'
import { createMint, type MintParts, TURN_WAIT_MS } from './mint.ts'
import { adopt, adoptNewer, type Entry, type Got, isGood, leftOf, newPage, type Page } from './page.ts'
import { createRenew } from './renew.ts'
import { createSharedTokens, LEASE_MS, type Seen, type SharedToken } from './shared-token.ts'
import type { Token } from './token.ts'

/** Keys remembered at once: a token, its role session and little else, about 5 KB each. */
export const BOOK_PAGES = 20_000
/** However often callers say that a token was refused, its key mints no more often than this. */
const BETWEEN_MINTS_MS = 10_000
/** What the shelf said so long ago is still believed of a key, where looking again would only tell that there is no turn. */
const LOOKED_MS = 1000
/** Waiting for another instance: the first pause, and the longest. */
const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 800

export interface BookParts extends Pick<MintParts, 'sign' | 'pace' | 'turnWaitMs' | 'onMinted'> {
  roles: Roles
  /** Where the fleet's tokens stand. */
  shelf: Shelf
  looseEnds: LooseEnds
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
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
  /** To be called instead, where the token does not leave: what was minted for it is not kept from other instances. */
  keepBack(): void
}

export interface Book {
  /**
   * The current token of a key, the same for every instance that shares the shelf; minted where there is none that can be
   * vended. `refused` is the fingerprint of a token that the database refused: if it is still the current one, another is
   * minted, and if that one is refused too, with a new role session. Throws `throttled`, `role_refused` or
   * `temporarily_unavailable`.
   */
  current(key: TokenKey, ask: { refused?: string | undefined }): Promise<Held>
}

/**
 * The book of tokens: one current token for each key. A token at hand costs no call to anyone. Without one, one flight
 * gets it however many ask: from the shelf, where another instance has put it or is about to, else by minting. From
 * `refreshAfter` on one request renews while everyone else goes on getting the old token. Nothing runs by timer: a
 * renewal starts with a request. A new token is signed at its turn, by a request that hands it out there and then.
 */
export function createBook(parts: BookParts): Book {
  const { roles, shelf, clock, random, turnWaitMs = TURN_WAIT_MS } = parts
  const shared = createSharedTokens({ shelf, clock })
  const minting = createMint({ ...parts, shared })
  const renew = createRenew({ ...parts, ...minting, look })
  const pages = new LRUCache<string, Page>({ max: BOOK_PAGES })
  const flights = new Map<string, Promise<Got>>()
  const renewals = new Map<string, Promise<Got | undefined>>()

  function pageOf(key: TokenKey): Page {
    const known = pages.get(key.id)
    const page = known ?? newPage(key, createKeySession(key, { roles, clock }))
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

  function look(page: Page): Promise<Seen> {
    page.lookedAt = clock.now()
    return shared.look(page.key)
  }

  const hasJustLooked = ({ lookedAt }: Page) => leftOf({ since: lookedAt, forMs: LOOKED_MS }, clock) > 0

  /** A token for those who cannot be given the one at hand: there is none, it is too old, or the database refused it. */
  async function obtain(page: Page, refused: string | undefined): Promise<Got> {
    if (hasJustLooked(page)) minting.checkTurn(page, queueing(page.entry, refused))
    const patience = clock.now() + LEASE_MS
    for (let pauses = 0; ; ) {
      const seen = await look(page)
      if (isWanted(seen.shared, { page, refused }))
        return { entry: adopt(page, seen.shared), isMinted: false }
      const now = clock.now()
      if (seen.leasedUntil <= now) {
        const entry = await replace(page, { seen, refused })
        if (entry) return { entry, isMinted: true }
      } else if (now >= patience) throw leasedTooLong(page.key)
      else await clock.sleepUntil(now + pauseMs(pauses++))
    }
  }

  /** Whether what the shelf has is good, and not what was refused, or older than that. */
  function isWanted(
    found: SharedToken | undefined,
    { page, refused }: { page: Page; refused: string | undefined },
  ): found is SharedToken {
    if (!found || isRefused(found, refused) || !isGood(found, clock)) return false
    const { entry } = page
    return !entry || !isRefused(entry, refused) || found.mintedAt > entry.mintedAt
  }

  const pauseMs = (pauses: number) =>
    Math.min(FIRST_PAUSE_MS * 2 ** pauses, LONGEST_PAUSE_MS) * (0.5 + random() / 2)

  async function replace(
    page: Page,
    { seen, refused }: { seen: Seen; refused: string | undefined },
  ): Promise<Entry | undefined> {
    const last = newest(seen.shared, page.entry)
    const wasRefused = isRefused(last, refused)
    const restMs = leftOf({ since: last?.mintedAt ?? 0, forMs: BETWEEN_MINTS_MS }, clock)
    if (restMs > turnWaitMs) throw resting(restMs)
    await clock.sleepUntil(clock.now() + restMs)
    if (wasRefused && last?.replaces) page.session.forget()
    const { ahead, waitMs } = queueing(last, refused)
    return minting.mint(page, { seen, replaces: wasRefused, ahead, waitMs: waitMs - restMs })
  }

  /** What is renewed goes first; what was refused, or is of long ago, is as new as what nobody has yet. */
  function queueing(last: SharedToken | undefined, refused: string | undefined) {
    const isInUse = last !== undefined && !isRefused(last, refused) && last.token.expiresAt > clock.now()
    return { ahead: isInUse, waitMs: turnWaitMs }
  }

  /** Whether another instance has minted the successor of the token at hand: it may be the one that was refused. */
  async function isSucceeded(page: Page, entry: Entry): Promise<boolean> {
    const seen = await look(page).catch(() => undefined)
    return seen !== undefined && adoptNewer(page, { entry, found: seen.shared, clock }) !== undefined
  }

  async function current(key: TokenKey, ask: { refused?: string | undefined }): Promise<Held> {
    const page = pageOf(key)
    const { entry } = page
    if (entry && !isRefused(entry, ask.refused) && isGood(entry, clock)) {
      if (ask.refused !== undefined && !hasJustLooked(page) && (await isSucceeded(page, entry)))
        return current(key, ask)
      const isUnderWay = flights.has(key.id) || renewals.has(key.id)
      if (clock.now() < entry.token.refreshAfter || isUnderWay) return held(entry, { cached: true })
      const newer = await fly(renewals, key, () => renew(page, entry))
      return newer ? held(newer.entry, { cached: !newer.isMinted }) : held(entry, { cached: true })
    }
    const renewal = renewals.get(key.id)
    // it may bring what is wanted, or find no turn as soon as it wants one
    if (renewal) return renewal.then(() => current(key, ask))
    const flight = flights.get(key.id)
    if (flight) {
      const got = await flight
      return isRefused(got.entry, ask.refused) ? current(key, ask) : held(got.entry, { cached: true })
    }
    const got = await fly(flights, key, () => obtain(page, ask.refused))
    return held(got.entry, { cached: !got.isMinted })
  }

  return { current }
}

function held({ token, leave, stay }: Entry, { cached }: { cached: boolean }): Held {
  return { token, cached, handOut: leave, keepBack: stay }
}

function isRefused(known: SharedToken | undefined, refused: string | undefined): boolean {
  return known !== undefined && known.token.fingerprint === refused
}

function newest(a: SharedToken | undefined, b: SharedToken | undefined): SharedToken | undefined {
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
