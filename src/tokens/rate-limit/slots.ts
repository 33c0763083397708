import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../../store/record-format.ts'
import type { Store } from '../../store/store.ts'

/** How long the store keeps a resource's record after its last slot. */
const RECORD_KEPT_MS = 60_000
const MAX_ATTEMPTS = 50
/** No queue is this long: slots further ahead were reserved by a clock that was wrong. */
const MAX_AHEAD_MS = 30_000

export interface SlotsRequest {
  resource: string
  count: number
  /** The earliest moment (ms) at which any caller is ready to use a slot. */
  notBefore: number
  /** The latest moment (ms) that is of use to any caller. */
  notAfter: number
  spacingMs: number
  /** How long a write to the store takes, as far as is known. */
  writeMs: number
  /** The end of the slots that this instance reserved last, and from when on they went by unused (ms). */
  own: { readonly until: number; readonly unusedFrom: number }
}

export interface SlotsReserved {
  /** Soonest first, at most `count` and none after `notAfter`; they belong to this instance alone. */
  readonly slots: readonly number[]
  /** The first slot that no instance has reserved, as far as this instance knows (ms). */
  readonly nextFree: number
  /** How long the write to the store took, or what the request said if nothing was written. */
  readonly writeMs: number
}

/**
 * Reserves slots of a resource in the one record that all instances share, which holds the next free slot. However many
 * are wanted, it costs one read and one compare-and-swap, and more only while other instances write at the same moment.
 * Throws `temporarily_unavailable` if the store cannot be reached, or after 50 conflicts in a row.
 *
 *     instance A   read next=100 ······ swap 100→300 (slots 100, 200)
 *     instance B        read next=100 ······ swap 100→200: conflict ── read next=300 ── swap 300→400 (slot 300)
 */
export async function reserveSlots(
  { store, clock }: { store: Store; clock: Clock },
  { resource, count, notBefore, notAfter, spacingMs, writeMs, own }: SlotsRequest,
): Promise<SlotsReserved> {
  const key = storeKey(resource)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const readAt = clock.now()
    const record = await store.read(key)
    const now = clock.now()
    // a slot that is over before the write is done is of no use
    const soonest = Math.max(now + Math.max(writeMs, now - readAt), notBefore)
    const stored = record ? decodeNext(record.bytes, { key, now }) : 0
    // slots of this instance that went by unused are free again, unless another instance has reserved since
    const next = stored === own.until ? own.unusedFrom : stored
    const first = isPlausible(next, now) ? Math.max(soonest, next) : soonest
    const slots: number[] = []
    for (let slot = first; slots.length < count && slot <= notAfter; slot += spacingMs) slots.push(slot)
    const nextFree = first + slots.length * spacingMs
    if (slots.length === 0) return { slots, nextFree, writeMs }
    const version = await store.compareAndSwap({
      key,
      bytes: encodeNext(nextFree),
      expectedVersion: record?.version ?? 'absent',
      expiresAt: nextFree + RECORD_KEPT_MS,
      keepUntil: nextFree,
    })
    if (version !== 'conflict') return { slots, nextFree, writeMs: Math.max(0, clock.now() - now) }
  }
  throw new JetonError('temporarily_unavailable', {
    publicMessage: 'the store is too busy; try again',
    reason: `slots of ${resource} could not be reserved: other instances changed the record ${MAX_ATTEMPTS} times in a row`,
    retryAfterMs: 1000,
  })
}

/** Whether a slot can be meant: a clock that is corrected leaves slots behind that lie minutes ahead of `now` (ms). */
export function isPlausible(slot: number, now: number): boolean {
  return slot <= now + MAX_AHEAD_MS
}

/** `turns/` and `next` are how records in tables are written: releases of one fleet share them. */
const storeKey = (resource: string) => `turns/${resource}`

const encodeNext = (next: number) => encodeRecord({ keepUntil: next, next })

/** A record without a time counts as none: it is written anew, and must not stop the database's tokens. */
function decodeNext(bytes: Uint8Array, { key, now }: { key: string; now: number }): number {
  const next = decodeRecord(bytes, { key, now })?.next
  return typeof next === 'number' && Number.isFinite(next) ? next : 0
}
