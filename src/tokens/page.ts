import type { Clock } from '../clock.ts'
import { type Departure, LEFT } from './departure.ts'
import type { TokenKey } from './key.ts'
import type { KeySession } from './key-session.ts'
import { canBeVended, isFromTheFuture } from './lifetime.ts'
import type { SharedToken } from './shared-token.ts'

/** The current token of a key, as this instance has it. */
export interface Entry extends SharedToken, Departure {
  /** Whether this instance minted it: then it has the role session for the next one, most likely. */
  readonly isOurs: boolean
}

/** What brought an entry: this request's minting, or another's. */
export interface Got {
  readonly entry: Entry
  readonly isMinted: boolean
}

/** What this instance knows of one key. */
export interface Page {
  /** As the last caller's configuration has it: limits may change under one key. */
  key: TokenKey
  readonly session: KeySession
  entry?: Entry
  /** When the shelf last said something of it (ms). */
  lookedAt: number
  /** From when on, and for how long (ms), no renewal is tried. */
  rest: { readonly since: number; readonly forMs: number }
}

export function newPage(key: TokenKey, session: KeySession): Page {
  return { key, session, lookedAt: 0, rest: { since: 0, forMs: 0 } }
}

/** Goes on with the token that the fleet has; the same entry where that is known already. */
export function adopt(page: Page, shared: SharedToken): Entry {
  if (page.entry?.token.fingerprint === shared.token.fingerprint) return page.entry
  page.entry = { ...shared, ...LEFT, isOurs: false }
  return page.entry
}

/** The same, where the fleet's is good and newer than `entry`; else undefined. */
export function adoptNewer(
  page: Page,
  { entry, found, clock }: { entry: Entry; found: SharedToken | undefined; clock: Clock },
): Entry | undefined {
  return found && found.mintedAt > entry.mintedAt && isGood(found, clock) ? adopt(page, found) : undefined
}

/** Whether a token may still be vended. */
export function isGood({ token }: SharedToken, clock: Clock): boolean {
  return canBeVended(token, clock.now()) && !isFromTheFuture(token, clock.now())
}

/** How much is left (ms) of a time that began at `since`; nothing where the clock was put back behind it. */
export function leftOf({ since, forMs }: { since: number; forMs: number }, clock: Clock): number {
  const pastMs = clock.now() - since
  return pastMs < 0 ? 0 : Math.max(0, forMs - pastMs)
}
