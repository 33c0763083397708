import { isSameOwner, type SlotOwner } from './rate-limit/slot-owner.ts'

/** For whom a token is requested from the cache. */
export interface CacheRequest {
  /** Whose share is charged for a slot, if one is needed. */
  readonly owner: SlotOwner
  /**
   * The fingerprint of a token that the database rejected. If it is still the current one, another is minted; if that one
   * is rejected too, with a new role session, and after twice as long.
   */
  readonly rejectedFingerprint?: string | undefined
  /** How long the token must last at least (ms), if longer than the 5 minutes that every token does: else another is minted. */
  readonly minimumMs?: number | undefined
}

/** Whether what refuses one request refuses the other too. */
export function isSameRequest(a: CacheRequest, b: CacheRequest): boolean {
  const { rejectedFingerprint, minimumMs } = b
  return (
    isSameOwner(a.owner, b.owner) &&
    a.rejectedFingerprint === rejectedFingerprint &&
    a.minimumMs === minimumMs
  )
}
