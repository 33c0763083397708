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
  newcomerWithPromise: 0.6,
  newcomerWithoutPromise: 0.5,
  replacement: 0.25,
} as const

/** The most grants whose last slot is remembered when it has passed. */
export const MAX_PASSED = 40
/** Slots at the end of the horizon that are left to grants which had none for long, half of it at most. */
const KEPT_SLOTS = 2
/** Callers come back after whole seconds: where the horizon has but one slot, this much is left to others. */
const COME_BACK_MS = 1000
/** A grant that had its last slot so long ago, or so many slots, is kept from half of what one that had it just now is. */
const HALF_MS = 10_000
const HALF_SLOTS = 1.5

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
  /** Soonest first; of those that have passed, the latest of each grant: see `MAX_PASSED`. */
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
  const { now } = horizon
  const free = countFree(use, horizon)
  if (free === 0) return 'slots'
  const ofGrant = use.held.filter(slot => slot.at >= now && slot.owner.grant === owner.grant)
  const left = weight * free - ofGrant.length
  if (left <= 0 || use.next - now > reachMs(claim, use, horizon))
    return weight === WEIGHT.replacement ? 'replacement' : 'grant'
  return ofGrant.filter(slot => slot.owner.principal === owner.principal).length < left
    ? undefined
    : 'principal'
}

/** Returns how many slots within the horizon nobody has reserved. */
export function countFree({ next }: Pick<SlotUse, 'next'>, { horizonMs, spacingMs, now }: Horizon): number {
  const aheadMs = Math.max(0, next - now)
  return aheadMs > horizonMs ? 0 : Math.floor((horizonMs - aheadMs) / spacingMs) + 1
}

/**
 * Returns how far ahead (ms) a claim may reach: the end of the horizon is left to grants that had no slot for longer. So where
 * there are more busy grants than slots in the horizon, whoever has waited longest finds one first. If nobody has a slot
 * ahead, the grant that had the last one reaches as far as it would fill the horizon alone.
 */
export function reachMs(
  { owner: { grant }, weight }: SlotClaim,
  { held, next }: SlotUse,
  { horizonMs, spacingMs, now }: Horizon,
): number {
  const last = held.findLast(({ owner }) => owner.grant === grant)
  if (!last || weight === WEIGHT.missed) return horizonMs
  // a promise is kept when its moment has come, and not only later
  const weightAlone = weight > WEIGHT.newcomerWithoutPromise ? Math.max(weight, WEIGHT.newcomer) : weight
  const isNobodyAhead = held.every(({ at }) => at < now)
  const kept = Math.max(
    isNobodyAhead ? 1 / (1 + weightAlone) : 0,
    Math.min(0.5, (KEPT_SLOTS * spacingMs) / horizonMs),
    spacingMs > horizonMs ? Math.min(1, COME_BACK_MS / horizonMs) : 0,
  )
  const sinceMs = Math.max(0, next - last.at - spacingMs)
  const halfMs = Math.max(HALF_MS, HALF_SLOTS * spacingMs)
  return horizonMs * (1 - (kept * halfMs) / (halfMs + sinceMs))
}

/** Returns the slots that count: all ahead, and of those that have passed the latest of each grant. */
export function slotsThatCount(held: readonly HeldSlot[], now: number): HeldSlot[] {
  const firstAhead = held.findIndex(({ at }) => at > now)
  const passed = firstAhead < 0 ? held : held.slice(0, firstAhead)
  const latest = new Map(passed.map(slot => [slot.owner.grant, slot]))
  const kept = [...latest.values()].sort((a, b) => a.at - b.at).slice(-MAX_PASSED)
  return [...kept, ...held.slice(passed.length)]
}
