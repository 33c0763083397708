import { describe, expect, test } from 'vitest'
import type { RecentRecords, Stretch } from '../../src/audit/recent-records.ts'
import { shareReads } from '../../src/audit/shared-reads.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { NOON } from './support.ts'

const LIMIT = { limit: 10 }

/** Records whose readings end when the test says so. */
function heldRecords(kind: 'table' | 'file' = 'file') {
  const clock = virtualClock(NOON)
  const ends: ((error?: Error) => void)[] = []
  const recent: RecentRecords = {
    origin: { kind, name: 'audit' },
    read: () =>
      new Promise((resolve, reject) => {
        const stretch: Stretch = {
          records: [],
          readAt: clock.now(),
          from: undefined,
          to: undefined,
          next: undefined,
          unreadable: 0,
        }
        ends.push(error => (error ? reject(error) : resolve(stretch)))
      }),
  }
  return { shared: shareReads(recent, clock), ends, clock }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

describe('shareReads', () => {
  test('reads once for all who ask for the same at once, and again a second later', async () => {
    const { shared, ends, clock } = heldRecords()
    const reads = [1, 2, 3].map(() => shared.read({ grant: 'a' }, LIMIT))
    await settled()
    ends[0]?.()
    const stretches = await Promise.all(reads)
    expect(new Set(stretches).size).toBe(1)
    await clock.advance(999)
    expect(await shared.read({ grant: 'a' }, LIMIT)).toBe(stretches[0])
    await clock.advance(1)
    void shared.read({ grant: 'a' }, LIMIT)
    await settled()
    expect(ends).toHaveLength(2)
  })

  test('spares a table for ten seconds', async () => {
    const { shared, ends, clock } = heldRecords('table')
    const reading = shared.read({}, LIMIT)
    await settled()
    ends[0]?.()
    await reading
    await clock.advance(9999)
    await shared.read({}, LIMIT)
    expect(ends).toHaveLength(1)
  })

  test('reads one thing after the other, goes on after a failure, and refuses a crowd', async () => {
    const { shared, ends } = heldRecords()
    const reads = Array.from({ length: 17 }, (_, i) => shared.read({ grant: `g${i}` }, LIMIT))
    await expect(reads[16]).rejects.toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 2000 })
    await settled()
    expect(ends).toHaveLength(1)
    ends[0]?.(new Error('cannot read audit.jsonl'))
    await expect(reads[0]).rejects.toMatchObject({ publicMessage: 'cannot read audit.jsonl' })
    for (let i = 1; i < 16; i++) {
      await settled()
      expect(ends).toHaveLength(i + 1)
      ends[i]?.()
    }
    await Promise.all(reads.slice(1, 16))
    void shared.read({ grant: 'g16' }, LIMIT)
    await settled()
    expect(ends).toHaveLength(17)
  })
})
