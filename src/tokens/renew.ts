import { JetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import { type CachedToken, type CacheEntry, type Obtained, remainingMs, useNewer } from './cache-entry.ts'
import type { Minter } from './mint.ts'
import type { TokenSnapshot } from './token-store.ts'

/** How long the one request that renews waits for a turn, while the old token is still good. */
const RENEWAL_WAIT_MS = 250
/** After a renewal that failed. */
const FAILED_REST_MS = 10_000
/** After a look that found another instance at it, or no turn; about. */
const LOOKED_REST_MS = 1000
/** Who has no role session gives way for so long to whoever minted the last token, and has one. */
const GIVE_WAY_MS = 10_000

export interface RenewerParts extends Pick<Minter, 'mint' | 'checkSlot'> {
  look(page: CacheEntry): Promise<TokenSnapshot>
  backgroundTasks: BackgroundTasks
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
export type Renew = (page: CacheEntry, old: CachedToken) => Promise<Obtained | undefined>

export function createRenewer({
  look,
  mint,
  checkSlot,
  backgroundTasks,
  clock,
  log,
  random,
}: RenewerParts): Renew {
  async function renew(page: CacheEntry, old: CachedToken): Promise<Obtained | undefined> {
    const how = { hasPriority: true, isOptional: true, waitMs: RENEWAL_WAIT_MS }
    checkSlot(page, how)
    const seen = await look(page)
    const newer = useNewer(page, { entry: old, found: seen.shared, clock })
    if (newer) return { entry: newer, isMinted: false }
    if (seen.leasedUntil > clock.now() || givesWay(page, old)) {
      restAWhile(page)
      return undefined
    }
    if (!page.session.isFit()) {
      backgroundTasks.add(page.session.renew().catch(cause => goOnWithTheOld(page, cause)))
      return undefined
    }
    const entry = await mint(page, { seen, replaces: false, ...how })
    return entry && { entry, isMinted: true }
  }

  function givesWay(page: CacheEntry, old: CachedToken): boolean {
    if (old.isOurs || page.session.isFit()) return false
    return clock.now() < old.token.refreshAfter + GIVE_WAY_MS
  }

  const restAWhile = (page: CacheEntry) => rest(page, LOOKED_REST_MS * (0.5 + random()))

  function rest(page: CacheEntry, forMs: number): void {
    page.rest = { since: clock.now(), forMs }
  }

  function goOnWithTheOld(page: CacheEntry, cause: unknown): undefined {
    if (cause instanceof JetonError && cause.code === 'throttled') {
      restAWhile(page)
      return
    }
    rest(page, FAILED_REST_MS)
    const reason = cause instanceof JetonError ? cause.reason : undefined
    log.warn({ event: 'renewal_failed', session: page.key.sessionName, reason }, 'renewal failed')
  }

  return async (page, old) => {
    if (remainingMs(page.rest, clock) > 0 || page.session.isBeingRenewed()) return undefined
    return renew(page, old).catch(cause => goOnWithTheOld(page, cause))
  }
}
