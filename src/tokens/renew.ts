import type { Clock } from '../clock.ts'
import { JetonError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { LooseEnds } from '../loose-ends.ts'
import type { Minting } from './mint.ts'
import { adoptNewer, type Entry, type Got, leftOf, type Page } from './page.ts'
import type { Seen } from './shared-token.ts'

/** How long the one request that renews waits for a turn, while the old token is still good. */
const RENEWAL_WAIT_MS = 250
/** After a renewal that failed. */
const FAILED_REST_MS = 10_000
/** After a look that found another instance at it, or no turn; about. */
const LOOKED_REST_MS = 1000
/** Who has no role session gives way for so long to whoever minted the last token, and has one. */
const GIVE_WAY_MS = 10_000

export interface RenewParts extends Pick<Minting, 'mint' | 'checkTurn'> {
  look(page: Page): Promise<Seen>
  looseEnds: LooseEnds
  clock: Clock
  log: Log
  /** From 0 to 1, as `Math.random`. */
  random(): number
}

/**
 * Renews a token that is past its `refreshAfter` and still good, for one request: by the successor that another instance
 * has minted, or by minting it. Undefined where the old token is to go on: another instance is at it, there is no turn or
 * no role session yet (one is then asked for, and nobody waits for it), or it failed. Never throws.
 */
export type Renew = (page: Page, old: Entry) => Promise<Got | undefined>

export function createRenew({ look, mint, checkTurn, looseEnds, clock, log, random }: RenewParts): Renew {
  async function renew(page: Page, old: Entry): Promise<Got | undefined> {
    const how = { ahead: true, isOptional: true, waitMs: RENEWAL_WAIT_MS }
    checkTurn(page, how)
    const seen = await look(page)
    const newer = adoptNewer(page, { entry: old, found: seen.shared, clock })
    if (newer) return { entry: newer, isMinted: false }
    if (seen.leasedUntil > clock.now() || givesWay(page, old)) {
      restAWhile(page)
      return undefined
    }
    if (!page.session.isFit()) {
      looseEnds.add(page.session.renew().catch(cause => goOnWithTheOld(page, cause)))
      return undefined
    }
    const entry = await mint(page, { seen, replaces: false, ...how })
    return entry && { entry, isMinted: true }
  }

  function givesWay(page: Page, old: Entry): boolean {
    if (old.isOurs || page.session.isFit()) return false
    return clock.now() < old.token.refreshAfter + GIVE_WAY_MS
  }

  const restAWhile = (page: Page) => rest(page, LOOKED_REST_MS * (0.5 + random()))

  function rest(page: Page, forMs: number): void {
    page.rest = { since: clock.now(), forMs }
  }

  function goOnWithTheOld(page: Page, cause: unknown): undefined {
    if (cause instanceof JetonError && cause.code === 'throttled') {
      restAWhile(page)
      return
    }
    rest(page, FAILED_REST_MS)
    const reason = cause instanceof JetonError ? cause.reason : undefined
    log.warn({ event: 'renewal_failed', session: page.key.sessionName, reason }, 'renewal failed')
  }

  return async (page, old) => {
    if (leftOf(page.rest, clock) > 0 || page.session.isBeingRenewed()) return undefined
    return renew(page, old).catch(cause => goOnWithTheOld(page, cause))
  }
}
