import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../../store/record-format.ts'
import type { Store } from '../../store/store.ts'

/** How long the store keeps a resource's record after its last slot. */
const RECORD_KEPT_MS = 60_000
const MAX_ATTEMPTS = 50
/** Queues are shorter than this: a slot further ahead was reserved by a wrong clock. */
const MAX_AHEAD_MS = 30_000

/** How many slots of a resource an instance needs, and when. */
export interface SlotsRequest {
  resource: string
  count: number
  /** The earliest moment (ms) at which any caller is ready to use a slot. */
  notBefore: number
  /** The latest slot (ms) of use to any caller. */
  notAfter: number
  spacingMs: number
  /** How long the last write to the store took (ms). */
  writeMs: number
  /** The end of the slots that this instance reserved last, and the first of them that passed unused (ms). */
  own: { readonly until: number; readonly unusedFrom: number }
}

/** What an instance has reserved, and what it has learned from the record. */
export interface SlotsReserved {
  /** Soonest first, at most `count` and none after `notAfter`; they belong to this instance alone. */
  readonly slots: readonly number[]
  /** The first slot that no instance has reserved, as far as this instance knows (ms). */
  readonly nextFree: number
  /** How long the write to the store took (ms); the request's `writeMs` if nothing was written. */
  readonly writeMs: number
}

/**
 * Reserves slots of a resource in the one record that all instances share, which holds the next free slot. However many
 * are wanted, it takes one read and one compare-and-swap, and more only if other instances write at the same time.
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
    // slots of this instance that passed unused are free again, unless another instance has reserved since
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

/** Whether a slot is credible: at most 30 s ahead of `now` (ms). A wrong clock may have put slots minutes ahead. */
export function isPlausible(slot: number, now: number): boolean {
  return slot <= now + MAX_AHEAD_MS
}

/** Never rename `turns/` and `next`: they are in the tables, and other releases read and write them. */
const storeKey = (resource: string) => `turns/${resource}`

const encodeNext = (next: number) => encodeRecord({ keepUntil: next, next })

/** Returns 0 for a record without a time: it must not stop the database's tokens, and is overwritten. */
function decodeNext(bytes: Uint8Array, { key, now }: { key: string; now: number }): number {
  const next = decodeRecord(bytes, { key, now })?.next
  return typeof next === 'number' && Number.isFinite(next) ? next : 0
}
