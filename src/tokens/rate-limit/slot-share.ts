import type { SlotOwner } from './slot-owner.ts'

/**
 * How many slots an owner may hold for each one that is free. A renewal may hold more than a token that nobody has yet, and
 * one that replaces a token that the database is said to refuse comes last. If callers of a grant have been promised a moment
 * to come back, one of that grant without a promise leaves half of its share to them. A caller whose slot was missed had its
 * share already, and may have any slot that is free.
 */
export const WEIGHT = {
  missed: 1000,
  renewal: 2,
  newcomer: 1,
  newcomerWithoutPromise: 0.5,
  replacement: 0.25,
} as const

/** What a caller asks for: one more slot, charged to its owner. */
export interface SlotClaim {
  readonly owner: SlotOwner
  /** One of `WEIGHT`. */
  readonly weight: number
}

/** A slot that is reserved, by any instance. */
export interface HeldSlot {
  /** Its moment (ms). */
  readonly at: number
  readonly owner: SlotOwner
}

/** Which slots of a resource are reserved. */
export interface SlotUse {
  /** Soonest first; the last one may have passed, all others are in the future. */
  readonly held: readonly HeldSlot[]
  /** The first slot that nobody has reserved (ms). */
  readonly next: number
}

/** How far ahead slots are reserved, and how close they are. */
export interface Horizon {
  readonly horizonMs: number
  readonly spacingMs: number
  readonly now: number
}

/** Why a caller gets no slot: none is free within the horizon, or its share is full, or it came too late for its wait. */
export type Shortage = 'slots' | 'grant' | 'principal' | 'replacement'

/**
 * Returns what keeps a claim from one more slot; undefined if nothing does. An owner may hold another slot only while it
 * holds fewer than what is free, times the weight of the claim (dynamic thresholds, Choudhury and Hahne, 1998): alone, a
 * grant holds half of the horizon, two hold a third each, and something is always free for the next. Within a grant, a
 * principal may hold another only while it holds fewer than what the grant may still take.
 */
export function shortageOf(claim: SlotClaim, use: SlotUse, horizon: Horizon): Shortage | undefined {
  const { owner, weight } = claim
  const { horizonMs, spacingMs, now } = horizon
  const aheadMs = Math.max(0, use.next - now)
  if (aheadMs > horizonMs) return 'slots'
  const free = Math.floor((horizonMs - aheadMs) / spacingMs) + 1
  const ofGrant = use.held.filter(slot => slot.at >= now && slot.owner.grant === owner.grant)
  const left = weight * free - ofGrant.length
  if (left <= 0 || aheadMs > reachMs(claim, use, horizon))
    return weight === WEIGHT.replacement ? 'replacement' : 'grant'
  return ofGrant.filter(slot => slot.owner.principal === owner.principal).length < left
    ? undefined
    : 'principal'
}

/**
 * Returns how far ahead (ms) a claim may reach: as far as it would fill the horizon alone, if its grant had the last slot and
 * nobody has one ahead. So where slots are so far apart that the horizon has but one, others may take it first.
 */
export function reachMs(
  { owner, weight }: SlotClaim,
  { held }: SlotUse,
  { horizonMs, now }: Horizon,
): number {
  const last = held.at(-1)
  const isNextToo = last !== undefined && last.owner.grant === owner.grant && last.at < now
  return isNextToo ? (horizonMs * weight) / (1 + weight) : horizonMs
}
