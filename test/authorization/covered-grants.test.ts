import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claimConditions } from '../../src/authorization/claim-condition.ts'
import { findCoveredGrants } from '../../src/authorization/covered-grants.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { coversGrant } from '../../src/authorization/grant-overlap.ts'

/** Compares each grant with all before it. */
function coveredOneByOne(grants: readonly GrantSpec[]): Map<number, number> {
  const covered = new Map<number, number>()
  const compared = grants.map(grant => ({ grant, conditions: claimConditions(grant.principal) }))
  compared.forEach((grant, position) => {
    const first = compared.slice(0, position).findIndex(earlier => coversGrant(earlier, grant))
    if (first >= 0) covered.set(position, first)
  })
  return covered
}

const value = fc.constantFrom('x', 'x/y', 'x*', 'x/**', '**', '*', '1', '')
const scalar = fc.oneof(value, fc.constantFrom(1, true))
const values = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { maxLength: 2 }))
const grant: fc.Arbitrary<GrantSpec> = fc.record({
  name: fc.constant('g'),
  principal: fc.record(
    {
      issuer: fc.constantFrom('ci', 'ci', 'other'),
      subject: values(value),
      claims: fc.dictionary(fc.constantFrom('sub', 'users', 'n.a'), values(scalar), { maxKeys: 2 }),
      anyone: fc.boolean(),
    },
    { requiredKeys: ['issuer'] },
  ),
  database: fc.constantFrom('orders', 'orders', 'billing'),
  users: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }),
})

test.each([
  ['few', { minLength: 0, maxLength: 12 }, 2000],
  ['so many that they are filed', { minLength: 100, maxLength: 120 }, 200],
])(
  'findCoveredGrants finds what comparing each with all before it finds, with %s',
  (_many, size, numRuns) => {
    fc.assert(
      fc.property(fc.array(grant, size), grants => {
        expect([...findCoveredGrants(grants)].sort()).toEqual([...coveredOneByOne(grants)].sort())
      }),
      { numRuns },
    )
  },
)

test('a grant with times covers only one whose times lie within its own', () => {
  const base: GrantSpec = {
    name: 'g',
    principal: { issuer: 'ci', subject: 'x' },
    database: 'orders',
    users: ['a'],
  }
  const [early, middle, late] = ['2026-11-01T00:00:00Z', '2026-11-15T00:00:00Z', '2026-12-01T00:00:00Z']
  const isCovered = (first: Partial<GrantSpec>, second: Partial<GrantSpec>) =>
    findCoveredGrants([
      { ...base, ...first },
      { ...base, ...second },
    ]).has(1)
  const whole = { notBefore: early, notAfter: late }
  expect(isCovered({}, whole)).toBe(true)
  expect(isCovered(whole, whole)).toBe(true)
  expect(isCovered(whole, { notBefore: middle, notAfter: late })).toBe(true)
  expect(isCovered(whole, {})).toBe(false)
  expect(isCovered({ notAfter: middle }, whole)).toBe(false)
  expect(isCovered({ notBefore: middle }, { notAfter: late })).toBe(false)
})
