import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import { decodeSlots, encodeSlots, NO_SLOTS, slotRecordKey } from './slot-record.ts'
import {
  type HeldSlot,
  type Horizon,
  type Shortage,
  type SlotClaim,
  type SlotUse,
  shortageOf,
  slotsThatCount,
} from './slot-share.ts'

/** How long the store keeps a resource's record after its last slot. */
const RECORD_KEPT_MS = 60_000
const MAX_ATTEMPTS = 50
/** Clocks of instances differ by less than this, or are corrected. */
const MAX_CLOCK_DIFFERENCE_MS = 5000

/** Which slots of a resource an instance needs, and when. */
export interface SlotsRequest<Claim extends SlotClaim = SlotClaim> extends KnownSlots {
  /** One for each slot, in the order in which they are tried. */
  claims: readonly Claim[]
  /** The earliest moment (ms) at which any caller is ready to use a slot. */
  notBefore: number
  /** The latest slot (ms) of use to any caller. */
  notAfter: number
  /** How long the last write to the store took (ms). */
  writeMs: number
}

/** What an instance knows of a resource's slots before it reads their record. */
export interface KnownSlots {
  resource: string
  /** How far ahead slots are reserved: what is free of it is shared out (ms). */
  horizonMs: number
  spacingMs: number
  /** The end of the slots that this instance reserved last, and the first of them that passed unused (ms). */
  own: { readonly until: number; readonly unusedFrom: number }
  /** The next free slot (ms) when this instance last read or wrote the record; 0 unless given. */
  knownNext?: number
}

/** Which slots are reserved, by any instance. */
export interface SlotsRead {
  readonly use: SlotUse
  /** When that was read (ms). */
  readonly readAt: number
}

/** What an instance has reserved, and what it has learned from the record. */
export interface SlotsReserved<Claim extends SlotClaim = SlotClaim> extends SlotsRead {
  /** Soonest first, none after `notAfter`; they belong to this instance alone. */
  readonly slots: readonly number[]
  /** The claims that got no slot, and why. */
  readonly refused: ReadonlyMap<Claim, Shortage>
  /** How long the write to the store took (ms); the request's `writeMs` if nothing was written. */
  readonly writeMs: number
}

/**
 * Reserves slots of a resource in the one record that all instances share: the next free slot, and whose the others are. A
 * claim gets none while its owner's share is full (`shortageOf`). However many are wanted, it takes one read and one
 * compare-and-swap, and more only if other instances write at the same time. Throws `temporarily_unavailable` if the store
 * cannot be reached, or after 50 conflicts in a row.
 *
 *     instance A   read next=100 ······ swap 100→300 (slots 100, 200)
 *     instance B        read next=100 ······ swap 100→200: conflict ── read next=300 ── swap 300→400 (slot 300)
 */
export async function reserveSlots<Claim extends SlotClaim>(
  { store, clock }: { store: Store; clock: Clock },
  request: SlotsRequest<Claim>,
): Promise<SlotsReserved<Claim>> {
  const { resource, writeMs } = request
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const begunAt = clock.now()
    const { use: used, readAt, version: expectedVersion } = await readSlots({ store, clock }, request)
    // a slot that is over before the write is done is of no use
    const soonest = Math.max(readAt + Math.max(writeMs, readAt - begunAt), request.notBefore)
    const { slots, refused, use } = assign(request, { use: used, soonest, now: readAt })
    if (slots.length === 0) return { slots, refused, use, readAt, writeMs }
    const version = await store.compareAndSwap({
      key: slotRecordKey(resource),
      bytes: encodeSlots(use),
      expectedVersion,
      expiresAt: use.next + RECORD_KEPT_MS,
      keepUntil: use.next,
    })
    if (version !== 'conflict')
      return { slots, refused, use, readAt, writeMs: Math.max(0, clock.now() - readAt) }
  }
  throw new JetonError('temporarily_unavailable', {
    publicMessage: 'the store is too busy; try again',
    reason: `slots of ${resource} could not be reserved: other instances changed the record ${MAX_ATTEMPTS} times in a row`,
    retryAfterMs: 1000,
  })
}

/** Reads which slots of a resource are reserved, and the record's version. Rejects if the store cannot be reached. */
export async function readSlots(
  { store, clock }: { store: Store; clock: Clock },
  known: KnownSlots,
): Promise<SlotsRead & { readonly version: string | 'absent' }> {
  const key = slotRecordKey(known.resource)
  const record = await store.read(key)
  const readAt = clock.now()
  const stored = record ? decodeSlots(record.bytes, { key, now: readAt }) : NO_SLOTS
  return { use: usedSlots(stored, known, readAt), readAt, version: record?.version ?? 'absent' }
}

/**
 * Whether a slot can have been reserved by an instance whose clock is right enough: one further ahead was reserved by a wrong
 * clock, or by somebody who may not.
 */
export function isPlausible(slot: number, { now, horizonMs, spacingMs }: Horizon): boolean {
  return slot <= now + horizonMs + spacingMs + MAX_CLOCK_DIFFERENCE_MS
}

/** Returns what counts of the stored slots: nothing if they are not plausible, and of those that passed each grant's latest. */
function usedSlots(stored: SlotUse, known: KnownSlots, now: number): SlotUse {
  const { own, horizonMs, spacingMs, knownNext: lastNext = 0 } = known
  // slots of this instance that passed unused are free again, unless another instance has reserved since
  const nextOf = (until: number) => (until === own.until ? own.unusedFrom : until)
  // an older record that somebody put back does not free what this instance knows to be reserved
  const knownNext = nextOf(lastNext)
  if (!isPlausible(stored.next, { now, horizonMs, spacingMs })) return { ...NO_SLOTS, next: knownNext }
  const next = Math.max(nextOf(stored.next), knownNext)
  const held = stored.held.filter(({ at }) => at < next)
  return { next, held: slotsThatCount(held, now) }
}

/** Gives each claim the next slot that is not too late, as long as its owner's share has room. */
function assign<Claim extends SlotClaim>(
  { claims, notAfter, horizonMs, spacingMs }: SlotsRequest<Claim>,
  { use, soonest, now }: { use: SlotUse; soonest: number; now: number },
): Pick<SlotsReserved<Claim>, 'slots' | 'refused' | 'use'> {
  const slots: number[] = []
  const refused = new Map<Claim, Shortage>()
  const held: HeldSlot[] = [...use.held]
  let next = use.next
  for (const claim of claims) {
    const at = Math.max(soonest, next)
    const shortage =
      at > notAfter ? 'slots' : shortageOf(claim, { held, next }, { now, horizonMs, spacingMs })
    if (shortage) refused.set(claim, shortage)
    else {
      slots.push(at)
      held.push({ at, owner: claim.owner })
      next = at + spacingMs
    }
  }
  return { slots, refused, use: { held, next } }
}
