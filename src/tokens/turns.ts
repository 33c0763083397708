import type { Clock } from '../clock.ts'
import { JetonError } from '../errors.ts'
import type { Shelf } from '../shelf/shelf.ts'
import { parseVersioned, renderVersioned } from '../shelf/versioned.ts'

/** How long the record of a resource's turns is kept after its last turn. */
const KEPT_MS = 60_000
const TRIES = 50
/** No queue is this long: a record of turns further ahead was written by a clock that was wrong. */
const FURTHEST_MS = 30_000

export interface TurnsWanted {
  resource: string
  count: number
  /** The earliest moment (ms) at which anyone will be ready to use one. */
  notBefore: number
  /** The furthest moment (ms) that is of use to anyone. */
  notAfter: number
  spacingMs: number
  /** How long a write to the shelf takes, as far as is known. */
  writeMs: number
  /** The end of the turns that this instance took last, and from when on they went by unused. */
  mine: { readonly until: number; readonly unusedFrom: number }
}

export interface TurnsTaken {
  /** Soonest first, as many as are of use; they are this instance's alone. */
  readonly turns: readonly number[]
  /** The first turn that is nobody's, as far as this instance knows (ms). */
  readonly nextFree: number
  /** How long the write to the shelf took. */
  readonly writeMs: number
}

/**
 * Takes turns of a resource from the one record that all instances share, which says when its next free turn is. However
 * many are wanted, it costs one read and one swap; more only while other instances swap at the same moment.
 *
 *     instance A   read next=100 ······ swap 100→300 (turns 100, 200)
 *     instance B        read next=100 ······ swap 100→200: conflict ── read next=300 ── swap 300→400 (turn 300)
 */
export async function takeTurns(
  { shelf, clock }: { shelf: Shelf; clock: Clock },
  { resource, count, notBefore, notAfter, spacingMs, writeMs, mine }: TurnsWanted,
): Promise<TurnsTaken> {
  const key = `turns/${resource}`
  for (let tries = 0; tries < TRIES; tries++) {
    const askedAt = clock.now()
    const found = await shelf.read(key)
    const now = clock.now()
    // a turn that is over when the swap is done is of no use
    const soonest = Math.max(now + Math.max(writeMs, now - askedAt), notBefore)
    const written = found ? nextIn(found.bytes, { key, now }) : 0
    // what went by unused was nobody's turn, if nobody has taken one since
    const next = written === mine.until ? mine.unusedFrom : written
    const first = isPlausible(next, now) ? Math.max(soonest, next) : soonest
    const turns: number[] = []
    for (let turn = first; turns.length < count && turn <= notAfter; turn += spacingMs) turns.push(turn)
    const nextFree = first + turns.length * spacingMs
    if (turns.length === 0) return { turns, nextFree, writeMs }
    const bytes = renderVersioned({ keepUntil: nextFree, next: nextFree })
    const swapped = await shelf.swap({
      key,
      bytes,
      was: found?.version ?? 'absent',
      expiresAt: nextFree + KEPT_MS,
      keepUntil: nextFree,
    })
    if (swapped !== 'conflict') return { turns, nextFree, writeMs: Math.max(0, clock.now() - now) }
  }
  throw new JetonError('temporarily_unavailable', {
    publicMessage: 'the store is too busy; try again',
    reason: `the turns of ${resource} could not be taken: ${TRIES} swaps in a row lost to other instances`,
    retryAfterMs: 1000,
  })
}

/** Whether a turn can be meant, seen from `now`: clocks that are corrected leave turns behind that lie minutes ahead. */
export function isPlausible(turn: number, now: number): boolean {
  return turn <= now + FURTHEST_MS
}

/** A record that says no time is as good as none: it is written anew, and must not stop the database's tokens. */
function nextIn(bytes: Uint8Array, of: { key: string; now: number }): number {
  const next = parseVersioned(bytes, of)?.next
  return typeof next === 'number' && Number.isFinite(next) ? next : 0
}
