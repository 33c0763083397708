import { LRUCache } from 'lru-cache'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { singleFlightByKey } from '../lib/single-flight.ts'
import { messageOf } from '../lib/system-error.ts'
import type { RecentRecords, Stretch } from './recent-records.ts'

/** How long a stretch may be shown again before it is read anew; a table's, whose every reading AWS charges for, longer. */
const MAX_AGE_MS = { table: 10_000, file: 1000, memory: 1000 } as const
/** A stretch may hold megabytes. */
const MAX_KEPT = 4
const MAX_WAITING = 16
const RETRY_MS = 2000

/**
 * Returns the same records so that many who look cost little more than one: who asks for the same at the same time, or within a
 * second (of a table, 10 s), shares a reading. One is under way at a time, and few wait; the others get `temporarily_unavailable`,
 * and so does everyone whose reading fails, with what it failed with.
 */
export function shareReads(recent: RecentRecords, clock: Pick<Clock, 'now'>): RecentRecords {
  const kept = new LRUCache<string, Stretch>({ max: MAX_KEPT })
  const flights = singleFlightByKey<Stretch>()
  const maxAgeMs = MAX_AGE_MS[recent.origin.kind]
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0

  /** One after the other, whatever the one before came to. */
  async function afterOthers(read: () => Promise<Stretch>): Promise<Stretch> {
    if (waiting >= MAX_WAITING) throw unavailable('too many pages are being read at once')
    waiting++
    const reading = last.then(read)
    last = reading.catch(() => {})
    try {
      return await reading
    } catch (cause) {
      throw unavailable(messageOf(cause, 'the records cannot be read'), cause)
    } finally {
      waiting--
    }
  }

  return {
    origin: recent.origin,
    async read(query, options) {
      const key = JSON.stringify([query, options])
      const known = kept.get(key)
      const ageMs = known ? clock.now() - known.readAt : Number.POSITIVE_INFINITY
      if (known && ageMs >= 0 && ageMs < maxAgeMs) return known
      return flights.run(key, async () => {
        const stretch = await afterOthers(() => recent.read(query, options))
        kept.set(key, stretch)
        return stretch
      })
    },
  }
}

function unavailable(publicMessage: string, cause?: unknown): JetonError {
  return new JetonError('temporarily_unavailable', { publicMessage, retryAfterMs: RETRY_MS, cause })
}
