import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Principal } from '../../src/authentication/principal.ts'
import { collectAuditedClaims } from '../../src/authorization/audited-claims.ts'
import { compilePrincipal } from '../../src/authorization/claim-matcher.ts'
import type { ClaimObject } from '../../src/authorization/claims.ts'
import type { PrincipalSpec } from '../../src/authorization/grant.ts'
import { compileRecorded, type RecordedPrincipal, verdictOf } from '../../src/authorization/recorded-match.ts'
import { createNamedClaims } from '../../src/vending/comparison/named-claims.ts'
import { anyPrincipal, principalSpec } from './arbitraries.ts'

const RULES = 'rules'
/** As the schema lets them pass: no object is wanted without a member. */
const soundSpec = principalSpec.filter(({ claims }) => !JSON.stringify(claims ?? '').includes('{}'))

/** Principals as a log has them that were decided by some grants, each knowing what the records of all of them show. */
function recorded(principals: readonly Principal[], grants: readonly PrincipalSpec[]): RecordedPrincipal[] {
  const audited = collectAuditedClaims(grants.map(({ claims }) => claims))
  const named = createNamedClaims()
  const picked = principals.map(
    principal => JSON.parse(JSON.stringify(audited.pick(principal))) as ClaimObject,
  )
  for (const claims of picked) named.add(RULES, { issuer: 'ci', claims })
  return principals.map(({ issuer, subject }, i) => ({
    issuer,
    subject,
    claims: picked[i] ?? {},
    isNamed: named.isNamed(RULES, 'ci'),
  }))
}

describe('compileRecorded', () => {
  test('says nothing certain that is not true of the whole JWT, whatever grants named its claims', () => {
    const verdicts = { holds: 0, misses: 0, unknown: 0 }
    fc.assert(
      fc.property(
        principalSpec,
        fc.array(principalSpec, { maxLength: 4 }),
        fc.array(anyPrincipal, { minLength: 1, maxLength: 4 }),
        (spec, grants, principals) => {
          const records = recorded(principals, grants)
          const match = compileRecorded(spec)
          principals.forEach((principal, i) => {
            const record = records[i] ?? expect.fail('there is one for each')
            const verdict = verdictOf(match(record))
            verdicts[verdict]++
            if (verdict !== 'unknown')
              expect(verdict === 'holds').toBe(compilePrincipal(spec).matches(principal))
          })
        },
      ),
      { numRuns: 5000 },
    )
    for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(100)
  })

  test('is certain of what the grants of then named themselves, if a record shows each of their claims', () => {
    fc.assert(
      fc.property(soundSpec, anyPrincipal, (spec, principal) => {
        const [record = expect.fail('there is one')] = recorded([principal], [spec])
        const verdict = verdictOf(compileRecorded(spec)({ ...record, isNamed: () => true }))
        expect(verdict).toBe(compilePrincipal(spec).matches(principal) ? 'holds' : 'misses')
      }),
      { numRuns: 3000 },
    )
  })

  test('a grant that allowed a request is known to allow it, from its own record alone', () => {
    fc.assert(
      fc.property(soundSpec, fc.array(principalSpec), anyPrincipal, (spec, others, principal) => {
        if (!compilePrincipal(spec).matches(principal)) return
        const [record = expect.fail('there is one')] = recorded([principal], [...others, spec])
        expect(verdictOf(compileRecorded(spec)(record))).toBe('holds')
      }),
      { numRuns: 2000 },
    )
  })

  test('of a subject that was cut, nothing is certain', () => {
    const [record = expect.fail('there is one')] = recorded([{ issuer: 'ci', subject: 's', claims: {} }], [])
    const match = compileRecorded({ issuer: 'ci', subject: ['s', '**'] })
    expect(verdictOf(match(record))).toBe('holds')
    expect(match({ ...record, subject: undefined })).toEqual([
      { name: 'subject', wanted: ['s', '**'], found: undefined, verdict: 'unknown' },
    ])
  })
})
