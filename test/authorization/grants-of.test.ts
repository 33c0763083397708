import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Claim, Principal } from '../../src/authentication/principal.ts'
import { compilePrincipal } from '../../src/authorization/claim-matcher.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import { grantsOf } from '../../src/authorization/decide.ts'
import type { GrantSpec, PrincipalSpec } from '../../src/authorization/grant.ts'
import { anyPrincipal, principalSpec } from './arbitraries.ts'

function grantsFor(principals: readonly PrincipalSpec[]): GrantSpec[] {
  return principals.map((principal, i) => ({ name: `g${i}`, principal, database: 'orders', users: ['app'] }))
}

/** The grants that a principal meets, without any index. */
function namesByFilter(specs: readonly GrantSpec[], principal: Principal): string[] {
  return specs
    .filter(spec => spec.principal.issuer === principal.issuer)
    .filter(spec => compilePrincipal(spec.principal).matches(principal))
    .map(({ name }) => name)
}

function namesOf(specs: readonly GrantSpec[], principal: Principal): string[] {
  return grantsOf(compileGrants(specs), principal).map(({ name }) => name)
}

describe('grantsOf', () => {
  test('returns what a filter over all grants would, whatever the grants and the principal', () => {
    fc.assert(
      fc.property(
        fc.array(principalSpec, { maxLength: 12 }),
        fc.array(anyPrincipal, { minLength: 1, maxLength: 6 }),
        (principals, callers) => {
          const specs = grantsFor(principals)
          for (const caller of callers) expect(namesOf(specs, caller)).toEqual(namesByFilter(specs, caller))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('finds a grant by each element of a list, of those that are looked at', () => {
    const specs = grantsFor([
      { issuer: 'ci', claims: { groups: 'last' } },
      { issuer: 'ci', claims: { groups: 'beyond' } },
      { issuer: 'ci', claims: { groups: ['other', 'las*'] } },
      { issuer: 'ci', claims: { pod: { labels: 'blue' } } },
    ])
    const groups = [...Array(255).fill('x'), 'last', 'beyond']
    const pod = [{ labels: 'red' }, 'blue', [{ labels: 'blue' }], { labels: ['green', 'blue'] }]
    expect(namesOf(specs, { issuer: 'ci', subject: 's', claims: { groups, pod } })).toEqual([
      'g0',
      'g2',
      'g3',
    ])
  })

  test('does not take a claim for another whose path reads alike', () => {
    const specs = grantsFor([
      { issuer: 'ci', claims: { a: { b: 'x' } } },
      { issuer: 'ci', claims: { 'a.b': 'x' } },
      { issuer: 'ci', claims: { subject: 'x' } },
      { issuer: 'ci', subject: 'x' },
      { issuer: 'ci', claims: { sub: 'x' } },
    ])
    const met = (claims: Record<string, Claim>, subject = 's') =>
      namesOf(specs, { issuer: 'ci', subject, claims })
    expect(met({ a: { b: 'x' } })).toEqual(['g0'])
    expect(met({ 'a.b': 'x' })).toEqual(['g1'])
    expect(met({ subject: 'x' })).toEqual(['g2'])
    expect(met({}, 'x')).toEqual(['g3'])
    expect(met({ sub: 'x' })).toEqual(['g4'])
  })
})
