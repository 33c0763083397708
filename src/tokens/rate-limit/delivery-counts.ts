import type { Clock } from '../../lib/clock.ts'
import { getOrCreate } from '../../lib/maps.ts'

/** For how many seconds deliveries are counted one by one. */
export const COUNTED_SECONDS = 300

/** How many new tokens of a resource this instance has delivered. */
export interface Deliveries {
  /** Since it started. */
  readonly delivered: number
  /** In each of the last `COUNTED_SECONDS`; the second that is not over comes last. */
  readonly deliveredBySecond: readonly number[]
}

/** Counts first deliveries, for each resource. */
export interface DeliveryCounts {
  /** Call for each new token that leaves for the first time. */
  add(resource: string): void
  read(resource: string): Deliveries
}

/** A ring of seconds: each has its place by its number, so a clock that is put back counts nothing twice. */
interface Ring {
  delivered: number
  readonly seconds: Float64Array
  readonly counts: Uint32Array
}

/** Returns counts of nothing. A resource takes 4 KB once it has one. */
export function createDeliveryCounts(clock: Pick<Clock, 'now'>): DeliveryCounts {
  const rings = new Map<string, Ring>()
  const secondNow = () => Math.floor(clock.now() / 1000)

  return {
    add(resource) {
      const ring = getOrCreate(rings, { key: resource, create: createRing })
      const second = secondNow()
      const place = second % COUNTED_SECONDS
      ring.delivered++
      ring.counts[place] = countAt(ring, second) + 1
      ring.seconds[place] = second
    },
    read(resource) {
      const ring = rings.get(resource)
      const first = secondNow() - COUNTED_SECONDS + 1
      const deliveredBySecond = new Array<number>(COUNTED_SECONDS).fill(0)
      if (ring) for (let i = 0; i < COUNTED_SECONDS; i++) deliveredBySecond[i] = countAt(ring, first + i)
      return { delivered: ring?.delivered ?? 0, deliveredBySecond }
    },
  }
}

function createRing(): Ring {
  return {
    delivered: 0,
    seconds: new Float64Array(COUNTED_SECONDS),
    counts: new Uint32Array(COUNTED_SECONDS),
  }
}

function countAt({ seconds, counts }: Ring, second: number): number {
  const place = second % COUNTED_SECONDS
  return seconds[place] === second ? (counts[place] ?? 0) : 0
}
