import type { SlotOwner } from './slot-owner.ts'

/** How long a caller waits for the slot of a new token, unless configured otherwise. */
export const SLOT_WAIT_MS = 5000

/** A caller's request for a slot. */
export interface ReservationRequest {
  /** What RDS throttles: `resourceKey` of the database. */
  resource: string
  /** Whose share of the slots it is charged to. */
  owner: SlotOwner
  /** The id of the token's key, to which the moment to come back is promised. */
  keyId: string
  /** New tokens that may be delivered in a second, over all instances. */
  perSecond: number
  /** How far off the slot may be, in milliseconds. */
  waitMs: number
  /** Set if the caller has a token in use: it goes before callers of the same grant that have none. */
  hasPriority: boolean
  /** Set if the token replaces one that was reported as refused: it comes last; false unless given. */
  isReplacement?: boolean
  /** Set if the caller had a slot and its token was too late for it; false unless given. */
  hasMissedSlot?: boolean
  /** Set if the caller has all it needs to use a slot at once; false unless given. */
  isReady?: boolean
  /** Set if the caller can do without a slot and will not come back for one; false unless given. */
  isOptional?: boolean
}

/** A caller's place in the queue, for which no slot is reserved in the store yet. It counts for its owner's share. */
export interface QueuePlace {
  /**
   * Reserves a slot. Rejects with `throttled`, with the time to come back, if none is near enough or the share of its owner
   * is full, and with `temporarily_unavailable` if the store cannot be reached.
   */
  reserve(): Promise<Reservation>
  /** Gives the place up, so that its slot goes to the next caller. Does nothing after the slot. */
  leave(): void
}

/** A slot that is reserved for a caller. */
export interface Reservation {
  /** When to begin to get ready (ms): a slot that is far off needs no role session yet. */
  readonly prepareAt: number
  /**
   * Resolves with the slot (ms) when it has come; earlier by as long as tokens have lately taken from signature to
   * delivery. Call once, when ready to sign. Rejects with `throttled`, or with the failure of the store.
   */
  slot(): Promise<number>
  /** Call when the token is ready for delivery, with the time (ms) since `slot()` resolved. */
  reportDeliveryDelay(tookMs: number): void
}
