import { asJetonError } from '../errors.ts'
import { jitteredMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { remainingMs } from '../lib/time-window.ts'
import type { Log } from '../telemetry/log.ts'
import {
  type CachedToken,
  type CacheEntry,
  isSuccessor,
  type Obtained,
  type RenewalPause,
  useShared,
} from './cache-entry.ts'
import type { Minter } from './mint.ts'
import type { SlotOwner } from './rate-limit/slot-owner.ts'
import type { StoredToken, TokenSnapshot } from './token-store.ts'

/** The request that renews waits only briefly: the old token can still be vended. */
const SLOT_REQUEST = { hasPriority: true, isReplacement: false, isOptional: true, waitMs: 250 }
/** The pause after a renewal that failed. */
const FAILURE_PAUSE_MS = 10_000
/** The pause if another instance renews, or no slot is near enough; jittered to between half and 1.5 times. */
const RETRY_PAUSE_MS = 1000
/** How long an instance without a role session leaves a renewal to the one that minted the last token, which has one. */
const YIELD_MS = 10_000

/**
 * Renews a token that is past its `refreshAfter` and can still be vended, for one request. Returns its successor, which
 * another instance has minted or this one mints now; undefined if the old token stays in use. Never rejects.
 */
export type Renew = (entry: CacheEntry, renewal: Renewal) => Promise<Obtained | undefined>

/** What is renewed, and whose share is charged for the slot. */
export interface Renewal {
  readonly current: CachedToken
  readonly owner: SlotOwner
}

export interface RenewerParts extends Minter {
  read(entry: CacheEntry): Promise<TokenSnapshot>
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

/** What decides about a renewal. */
export interface RenewalState {
  readonly current: CachedToken
  readonly snapshot: TokenSnapshot
  /** Whether this instance has a role session to sign with at once. */
  readonly isSessionFit: boolean
  readonly now: number
}

/** What a renewal does next. */
export type RenewalDecision =
  | { readonly action: 'use-successor'; readonly successor: StoredToken }
  | { readonly action: 'wait' | 'mint' }

/**
 * Returns what a renewal does once the store has been read. The first row that fits holds:
 *
 *     the store has            this instance has          then
 *     a vendable successor     –                          use it
 *     another's lease          –                          keep the old token and try again in a second
 *     no lease                 a role session             mint
 *     no lease                 none, and did not mint     leave it to the instance that did, for 10 s after refreshAfter
 *     no lease                 none                       mint, with a new role session
 */
export function decideRenewal({ current, snapshot, isSessionFit, now }: RenewalState): RenewalDecision {
  const { stored, leasedUntil } = snapshot
  if (isSuccessor(stored, { current, now })) return { action: 'use-successor', successor: stored }
  if (leasedUntil > now) return { action: 'wait' }
  if (isSessionFit) return { action: 'mint' }
  return { action: yieldsToMinter(current, now) ? 'wait' : 'mint' }
}

function yieldsToMinter({ mintedHere, token }: CachedToken, now: number): boolean {
  return !mintedHere && now < token.refreshAfter + YIELD_MS
}

/** Returns the function that renews tokens. */
export function createRenewer(parts: RenewerParts): Renew {
  const { read, mint, checkSlot, clock, log, random } = parts

  async function renew(entry: CacheEntry, { current, owner }: Renewal): Promise<Obtained | undefined> {
    const slotRequest = { ...SLOT_REQUEST, owner }
    checkSlot(entry, slotRequest)
    const snapshot = await read(entry)
    const isSessionFit = entry.session.isFit()
    const decision = decideRenewal({ current, snapshot, isSessionFit, now: clock.now() })
    switch (decision.action) {
      case 'use-successor':
        return { cachedToken: useShared(entry, decision.successor), isMinted: false }
      case 'wait':
        pause(entry, retryPause())
        return undefined
      case 'mint': {
        const cachedToken = await mint(entry, { snapshot, replacements: 0, slotRequest })
        return cachedToken && { cachedToken, isMinted: true }
      }
    }
  }

  function retryPause(): Pick<RenewalPause, 'forMs'> {
    return { forMs: jitteredMs(RETRY_PAUSE_MS, { low: 0.5, high: 1.5, random: random() }) }
  }

  function keepCurrent(entry: CacheEntry, { cause, owner }: { cause: unknown; owner: SlotOwner }): undefined {
    const { code, reason } = asJetonError(cause)
    if (code === 'throttled') return pause(entry, { ...retryPause(), grant: owner.grant })
    pause(entry, { forMs: FAILURE_PAUSE_MS })
    log.warn(
      { event: 'renewal_failed', session: entry.key.sessionName, reason },
      'a token could not be renewed: the current one stays in use, and the next request after 10 s tries again',
    )
  }

  function pause(entry: CacheEntry, renewalPause: Omit<RenewalPause, 'since'>): undefined {
    entry.renewalPause = { since: clock.now(), ...renewalPause }
  }

  function isPaused({ renewalPause, session }: CacheEntry, { grant }: SlotOwner): boolean {
    const { grant: paused = grant } = renewalPause
    return (paused === grant && remainingMs(renewalPause, clock.now()) > 0) || session.isBeingRenewed()
  }

  return async (entry, renewal) => {
    const { owner } = renewal
    if (isPaused(entry, owner)) return undefined
    return renew(entry, renewal).catch(cause => keepCurrent(entry, { cause, owner }))
  }
}
