/** A caller's request for a slot. */
export interface ReservationRequest {
  /** What RDS throttles: `resourceKey` of the database. */
  resource: string
  /** New tokens that may be delivered in a second, over all instances. */
  perSecond: number
  /** How far off the slot may be, in milliseconds. */
  waitMs: number
  /** Set if the caller has a token in use: it goes before callers that have none, so that no newcomer starves it. */
  hasPriority: boolean
  /** Set if the caller has all it needs to use a slot at once; false unless given. */
  isReady?: boolean
  /** Set if the caller can do without a slot and will not come back for one; false unless given. */
  isOptional?: boolean
}

/** A caller's place for a slot. */
export interface Reservation {
  /**
   * Resolves with the slot (ms) when it has come; earlier by as long as tokens have lately taken from signature to
   * delivery. Call once, when ready to sign. Rejects with `throttled`, or with the failure of the store.
   */
  slot(): Promise<number>
  /** Gives the place up, so that the slot goes to the next caller. Does nothing after the slot. */
  cancel(): void
  /** Call when the token is ready for delivery, with the time (ms) since `slot()` resolved. */
  reportDeliveryDelay(tookMs: number): void
}
