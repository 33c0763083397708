import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFloodControl, INDIVIDUAL_LIMIT } from '../../src/audit/flood-control.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { ipNetwork } from '../../src/lib/ip-network.ts'
import { record } from './support.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
  ['', ''],
])('the neighbourhood of %s is %s', (address, expected) => {
  expect(ipNetwork(address)).toBe(expected)
})

const refused = (sourceIp: string, fields: Partial<AuditRecord> = {}) =>
  record({ decision: 'refused', code: 'access_denied', sourceIp, ...fields })

test('one host with a whole /64 is one source; a failure is not hidden behind refusals', () => {
  const written: AuditRecord[] = []
  const flood = createFloodControl(each => written.push(each))
  for (let i = 0; i < 1000; i++) flood.record(refused(`2001:db8::${i.toString(16)}`), 0)
  expect(written).toHaveLength(INDIVIDUAL_LIMIT)
  flood.record(refused('2001:db8::1', { decision: 'failed', code: 'role_refused' }), 0)
  flood.record(refused('2001:db8:0:1::1'), 0)
  expect(written).toHaveLength(INDIVIDUAL_LIMIT + 2)
})

test('whatever comes, each record is written or counted once, under its own code', () => {
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

test('sources beyond those remembered lose no count', () => {
  let total = 0
  const flood = createFloodControl(({ count = 1 }) => {
    total += count
  })
  for (let n = 0; n < INDIVIDUAL_LIMIT + 5; n++) flood.record(refused('192.0.2.1'), 0)
  for (let n = 0; n < 20_000; n++) flood.record(refused(`10.0.${n >> 8}.${n & 255}`), 0)
  expect(total).toBe(20_000 + INDIVIDUAL_LIMIT + 5)
})
