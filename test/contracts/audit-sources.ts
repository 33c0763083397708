import { describe, expect, test } from 'vitest'
import type { LifecycleRecord } from '../../src/audit/lifecycle-record.ts'
import type { AuditSource } from '../../src/audit/query.ts'
import { renderRecord } from '../../src/audit/record.ts'
import { collectIds, NOON, recordAt } from '../audit/support.ts'

const HOUR_MS = 3_600_000

/** What every source of records must do, wherever it reads. `open` returns a source that holds just these lines. */
export function describeAuditSource(
  name: string,
  open: (lines: readonly string[]) => Promise<AuditSource>,
): void {
  describe(`the audit source ${name}`, () => {
    const records = [-30, -13, -12.5, -12, -6, -1, 0, 0.5].map(hours =>
      recordAt(NOON + hours * HOUR_MS, {
        principal: { issuer: 'ci', subject: hours < -6 ? 'early' : 'late' },
        database: hours === -1 ? 'ledger' : 'orders',
      }),
    )
    const ids = records.map(({ id }) => id)
    const lines = records.map(renderRecord)
    const everything = { from: NOON - 48 * HOUR_MS }

    test('finds records by time, across the ends of days, in either order', async () => {
      const source = await open(lines)
      expect(await collectIds(source.all(everything))).toEqual(ids)
      expect(await collectIds(source.newest(everything, 100))).toEqual(ids.toReversed())
      expect(await collectIds(source.newest(everything, 3))).toEqual(ids.toReversed().slice(0, 3))
      const within = { from: NOON - 12.5 * HOUR_MS, to: NOON - HOUR_MS }
      expect(await collectIds(source.all(within))).toEqual(ids.slice(2, 5))
      expect(await collectIds(source.all({ from: NOON, to: NOON }))).toEqual([])
      expect(await collectIds(source.all({ from: NOON, to: NOON + 1 }))).toEqual(['r0'])
    })

    test('finds records by principal, and by principal and time and more', async () => {
      const source = await open(lines)
      const late = { ...everything, principal: { issuer: 'ci', subject: 'late' } }
      expect(await collectIds(source.all(late))).toEqual(ids.slice(4))
      expect(await collectIds(source.newest(late, 2))).toEqual(ids.toReversed().slice(0, 2))
      expect(await collectIds(source.all({ ...late, to: NOON }))).toEqual(ids.slice(4, 6))
      expect(await collectIds(source.all({ ...late, database: 'ledger' }))).toEqual(ids.slice(5, 6))
      const prefix = { ...late, principal: { issuer: 'ci', subject: 'lat' } }
      expect(await collectIds(source.all(prefix))).toEqual([])
    })

    test('finds lifecycle records among the others, in order of time', async () => {
      const started: LifecycleRecord = {
        type: 'jeton.audit.started',
        v: 1,
        id: 's',
        time: new Date(NOON - 9 * HOUR_MS).toISOString(),
        instance: 'host/1',
        jeton: '1.2.3',
      }
      const source = await open([...lines.slice(0, 4), JSON.stringify(started), ...lines.slice(4)])
      expect(await collectIds(source.all(everything))).toEqual([...ids.slice(0, 4), 's', ...ids.slice(4)])
      expect(await collectIds(source.all({ ...everything, types: ['jeton.audit.started'] }))).toEqual(['s'])
      expect(await collectIds(source.all({ ...everything, types: ['jeton.audit'] }))).toEqual(ids)
    })

    test('returns lines exactly as they were recorded', async () => {
      const [first = expect.fail()] = records
      const source = await open([renderRecord(first)])
      const read: string[] = []
      for await (const { line } of source.all(everything)) read.push(line)
      expect(read).toEqual([renderRecord(first)])
    })
  })
}
