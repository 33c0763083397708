import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFloodControl, INDIVIDUAL_LIMIT } from '../../src/audit/flood-control.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { GOLDEN } from './golden.ts'
import { record } from './support.ts'

const refused = (sourceIp: string, fields: Partial<AuditRecord> = {}) =>
  record({ decision: 'refused', code: 'access_denied', sourceIp, ...fields })

test('createFloodControl takes one host with a whole /64 for one source, but not its failures', () => {
  const written: AuditRecord[] = []
  const flood = createFloodControl(each => written.push(each))
  for (let i = 0; i < 1000; i++) flood.record(refused(`2001:db8::${i.toString(16)}`), 0)
  expect(written).toHaveLength(INDIVIDUAL_LIMIT)
  flood.record(refused('2001:db8::1', { decision: 'failed', code: 'role_refused' }), 0)
  flood.record(refused('2001:db8:0:1::1'), 0)
  expect(written).toHaveLength(INDIVIDUAL_LIMIT + 2)
})

test('createFloodControl writes or counts each record once, under its own code', () => {
  const source = fc.integer({ min: 0, max: 4 }).map(n => `192.0.2.${n}`)
  const code = fc.constantFrom('unauthenticated', 'access_denied')
  const step = fc.tuple(source, code, fc.integer({ min: 0, max: 3000 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const totals = new Map<string | undefined, number>()
      const flood = createFloodControl(({ code, count = 1 }) =>
        totals.set(code, (totals.get(code) ?? 0) + count),
      )
      let now = 0
      for (const [sourceIp, code, ms] of steps) {
        now += ms
        flood.closeWindows(now)
        flood.record(refused(sourceIp, { code }), now)
      }
      flood.flush()
      for (const [code, total] of totals) expect(steps.filter(step => step[1] === code)).toHaveLength(total)
      expect([...totals.values()].reduce((a, b) => a + b, 0)).toBe(steps.length)
    }),
  )
})

test('createFloodControl loses no count of the sources that it evicts', () => {
  let total = 0
  const flood = createFloodControl(({ count = 1 }) => {
    total += count
  })
  for (let n = 0; n < INDIVIDUAL_LIMIT + 5; n++) flood.record(refused('192.0.2.1'), 0)
  for (let n = 0; n < 20_000; n++) flood.record(refused(`10.0.${n >> 8}.${n & 255}`), 0)
  expect(total).toBe(20_000 + INDIVIDUAL_LIMIT + 5)
})

test('a counting record has the bytes that it always had', () => {
  const counting: AuditRecord[] = []
  const flood = createFloodControl(each => void (each.count && counting.push(each)))
  for (const time of [...Array(101).fill(0), 1, 2].map(second => `2026-11-23T10:00:0${second}.000Z`)) {
    const fields = { code: 'unauthenticated', instance: 'host-1', requestId: 'q', time }
    flood.record(refused('192.0.2.7', fields), 0)
  }
  flood.flush()
  expect(counting.map(each => renderRecord({ ...each, id: 'ID' }))).toEqual([GOLDEN.floodLine])
})
