import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { decodeRecord, encodeRecord } from '../../store/record-format.ts'
import type { Store } from '../../store/store.ts'

/** How long the record of a resource's slots is kept after its last turn. */
const KEPT_MS = 60_000
const TRIES = 50
/** No queue is this long: a record of slots further ahead was written by a clock that was wrong. */
const FURTHEST_MS = 30_000

export interface SlotsRequest {
  resource: string
  count: number
  /** The earliest moment (ms) at which anyone will be ready to use one. */
  notBefore: number
  /** The furthest moment (ms) that is of use to anyone. */
  notAfter: number
  spacingMs: number
  /** How long a write to the store takes, as far as is known. */
  writeMs: number
  /** The end of the slots that this instance took last, and from when on they went by unused. */
  own: { readonly until: number; readonly unusedFrom: number }
}

export interface SlotsReserved {
  /** Soonest first, as many as are of use; they are this instance's alone. */
  readonly slots: readonly number[]
  /** The first turn that is nobody's, as far as this instance knows (ms). */
  readonly nextFree: number
  /** How long the write to the store took. */
  readonly writeMs: number
}

/**
 * Takes slots of a resource from the one record that all instances share, which says when its next free turn is. However
 * many are wanted, it costs one read and one swap; more only while other instances swap at the same moment.
 *
 *     instance A   read next=100 ······ swap 100→300 (slots 100, 200)
 *     instance B        read next=100 ······ swap 100→200: conflict ── read next=300 ── swap 300→400 (turn 300)
 */
export async function reserveSlots(
  { store, clock }: { store: Store; clock: Clock },
  { resource, count, notBefore, notAfter, spacingMs, writeMs, own }: SlotsRequest,
): Promise<SlotsReserved> {
  const key = `turns/${resource}`
  for (let tries = 0; tries < TRIES; tries++) {
    const askedAt = clock.now()
    const found = await store.read(key)
    const now = clock.now()
    // a turn that is over when the swap is done is of no use
    const soonest = Math.max(now + Math.max(writeMs, now - askedAt), notBefore)
    const written = found ? nextIn(found.bytes, { key, now }) : 0
    // what went by unused was nobody's turn, if nobody has taken one since
    const next = written === own.until ? own.unusedFrom : written
    const first = isPlausible(next, now) ? Math.max(soonest, next) : soonest
    const slots: number[] = []
    for (let turn = first; slots.length < count && turn <= notAfter; turn += spacingMs) slots.push(turn)
    const nextFree = first + slots.length * spacingMs
    if (slots.length === 0) return { slots, nextFree, writeMs }
    const bytes = encodeRecord({ keepUntil: nextFree, next: nextFree })
    const swapped = await store.compareAndSwap({
      key,
      bytes,
      expectedVersion: found?.version ?? 'absent',
      expiresAt: nextFree + KEPT_MS,
      keepUntil: nextFree,
    })
    if (swapped !== 'conflict') return { slots, nextFree, writeMs: Math.max(0, clock.now() - now) }
  }
  throw new JetonError('temporarily_unavailable', {
    publicMessage: 'the store is too busy; try again',
    reason: `the slots of ${resource} could not be taken: ${TRIES} swaps in a row lost to other instances`,
    retryAfterMs: 1000,
  })
}

/** Whether a turn can be meant, seen from `now`: clocks that are corrected leave slots behind that lie minutes ahead. */
export function isPlausible(turn: number, now: number): boolean {
  return turn <= now + FURTHEST_MS
}

/** A record that says no time is as good as none: it is written anew, and must not stop the database's tokens. */
function nextIn(bytes: Uint8Array, of: { key: string; now: number }): number {
  const next = decodeRecord(bytes, of)?.next
  return typeof next === 'number' && Number.isFinite(next) ? next : 0
}
