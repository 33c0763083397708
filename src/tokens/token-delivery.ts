import type { CachedToken, Obtained } from './cache-entry.ts'
import type { SlotOwner } from './rate-limit/slot-owner.ts'
import type { Token } from './token.ts'

/** A token for one request, and its way out of the process. */
export interface TokenDelivery {
  readonly token: Token
  /** False only for the request that minted it. */
  readonly cached: boolean
  /**
   * Await it just before the token leaves. Resolves at once for a token that was delivered before; if a new token missed
   * its slot (the audit log hung), waits for another, charged to the owner. Throws `throttled` if none is near enough.
   */
  deliver(owner: SlotOwner): Promise<void>
  /** Call instead if the token does not leave, so that other instances need not wait for it. */
  cancel(): void
}

/** Returns the delivery of a token to the request that fetched it from the store or minted it. */
export function deliveryOfObtained({ cachedToken, isMinted }: Obtained): TokenDelivery {
  return deliveryOf(cachedToken, { cached: !isMinted })
}

/** Returns the delivery of a token of the cache. */
export function deliveryOf(
  { token, deliver, cancel }: CachedToken,
  { cached }: { cached: boolean },
): TokenDelivery {
  return { token, cached, deliver, cancel }
}
