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

/** A ring of seconds: each has its place by its number. */
interface Ring {
  delivered: number
  /** The last second that was counted or read. */
  latest: number
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
      moveTo(ring, second)
      ring.delivered++
      ring.counts[place] = countAt(ring, second) + 1
      ring.seconds[place] = second
    },
    read(resource) {
      const ring = rings.get(resource)
      const second = secondNow()
      const first = second - COUNTED_SECONDS + 1
      const deliveredBySecond = new Array<number>(COUNTED_SECONDS).fill(0)
      if (ring) {
        moveTo(ring, second)
        for (let i = 0; i < COUNTED_SECONDS; i++) deliveredBySecond[i] = countAt(ring, first + i)
      }
      return { delivered: ring?.delivered ?? 0, deliveredBySecond }
    },
  }
}

function createRing(): Ring {
  return {
    delivered: 0,
    latest: 0,
    seconds: new Float64Array(COUNTED_SECONDS),
    counts: new Uint32Array(COUNTED_SECONDS),
  }
}

/** Once a clock was put back, seconds come again: what was counted in them then would be added to what is now. */
function moveTo(ring: Ring, second: number): void {
  if (second < ring.latest)
    for (const [place, counted] of ring.seconds.entries()) if (counted > second) ring.counts[place] = 0
  ring.latest = second
}

function countAt({ seconds, counts }: Ring, second: number): number {
  const place = second % COUNTED_SECONDS
  return seconds[place] === second ? (counts[place] ?? 0) : 0
}
