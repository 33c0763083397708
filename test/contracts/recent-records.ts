import { describe, expect, test } from 'vitest'
import type { RecentRecords, Stretch } from '../../src/audit/recent-records.ts'
import { renderRecord } from '../../src/audit/record.ts'
import type { RecordsQuery } from '../../src/audit/records-query.ts'
import { NOON, recordAt } from '../audit/support.ts'

const MINUTE_MS = 60_000

/** What everything must do that pages read records from. `open` returns one over just these lines, at noon. */
export function describeRecentRecords(
  name: string,
  open: (lines: readonly string[]) => Promise<RecentRecords>,
): void {
  describe(`the recent records of ${name}`, () => {
    const records = [-9, -8, -7, -6, -5, -4, -3, -2, -1].map(minutes =>
      recordAt(NOON + minutes * MINUTE_MS, {
        id: `r${minutes}`,
        decision: minutes % 2 === 0 ? 'refused' : 'vended',
        ...(minutes % 2 === 0 && { code: 'access_denied' }),
        principal: { issuer: 'ci', subject: minutes < -4 ? 'early' : 'late "quoted" \u202e' },
        database: minutes === -4 ? 'ledger' : 'orders',
        user: 'app',
        ...(minutes === -4 && { reason: 'because "of" it' }),
        grant: `g${minutes}`,
        fingerprint: `${-minutes}`.padStart(64, 'a'),
        identity: `arn:aws:sts::123456789012:assumed-role/jeton-orders/s${minutes}`,
      }),
    )
    const lines = records.map(renderRecord)
    const started = `{"type":"jeton.audit.started","v":1,"id":"start","time":"${new Date(NOON - 20 * MINUTE_MS).toISOString()}","instance":"h/1","jeton":"1.0.0"}`
    const ids = ({ records: found }: Stretch) => found.map(({ record }) => record.id)

    test('finds the newest first, and reads on where it stopped', async () => {
      const recent = await open([started, ...lines])
      const first = await recent.read({}, { limit: 4 })
      expect(ids(first)).toEqual(['r-1', 'r-2', 'r-3', 'r-4'])
      expect(first.to).toBe(NOON - MINUTE_MS)
      const second = await recent.read({}, { limit: 4, before: first.next })
      expect(ids(second)).toEqual(['r-5', 'r-6', 'r-7', 'r-8'])
      const third = await recent.read({}, { limit: 4, before: second.next })
      expect(ids(third)).toEqual(['r-9', 'start'])
      expect(third.from).toBeLessThanOrEqual(NOON - 20 * MINUTE_MS)
    })

    test.each<[RecordsQuery, string[]]>([
      [{ principal: { issuer: 'ci', subject: 'late "quoted" \u202e' } }, ['r-1', 'r-2', 'r-3', 'r-4']],
      [{ principal: { issuer: 'ci', subject: 'earl' } }, []],
      [{ database: 'ledger' }, ['r-4']],
      [{ database: 'orders', decision: 'refused' }, ['r-2', 'r-6', 'r-8']],
      [{ decisions: ['refused', 'failed'] }, ['r-2', 'r-4', 'r-6', 'r-8']],
      [{ grant: 'g-7' }, ['r-7']],
      [{ code: 'access_denied', user: 'app', to: NOON - 5 * MINUTE_MS }, ['r-6', 'r-8']],
      [{ reason: 'because "of' }, ['r-4']],
      [{ id: 'r-3' }, ['r-3']],
      [{ fingerprint: 'a'.repeat(63) }, ['r-1', 'r-2', 'r-3', 'r-4', 'r-5', 'r-6', 'r-7', 'r-8', 'r-9']],
      [{ fingerprint: `${'a'.repeat(63)}6` }, ['r-6']],
      [{ identity: 'rders/s-3' }, []],
      [{ identity: 's-3' }, ['r-3']],
      [{ identity: 'assumed-role/jeton-orders/s-3' }, ['r-3']],
      [{ types: ['jeton.audit.started'] }, ['start']],
      [{ from: NOON - 3 * MINUTE_MS, to: NOON - MINUTE_MS }, ['r-2', 'r-3']],
    ])('finds what meets %j', async (query, expected) => {
      const recent = await open([started, ...lines])
      expect(ids(await recent.read(query, { limit: 100 }))).toEqual(expected)
    })

    test('finds a record again by its bookmark, first of all', async () => {
      const recent = await open([started, ...lines])
      const { records: found } = await recent.read({}, { limit: 100 })
      for (const { record, bookmark } of found)
        expect(ids(await recent.read({}, { limit: 1, before: bookmark }))).toEqual([record.id])
    })

    test('begins at the newest for a bookmark that was never one', async () => {
      const recent = await open(lines)
      for (const before of ['', '../../etc/passwd', '1-', '-', `${'9'.repeat(40)}`, 'x'.repeat(9000)])
        expect(ids(await recent.read({}, { limit: 1, before }))).toEqual(['r-1'])
    })

    test('finds nothing where there is nothing', async () => {
      const recent = await open([])
      expect(await recent.read({}, { limit: 10 })).toMatchObject({ records: [], unreadable: 0 })
    })
  })
}
