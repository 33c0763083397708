import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Principal } from '../../src/authentication/principal.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import { decide, entitlements, grantsOf } from '../../src/authorization/decide.ts'
import { explain } from '../../src/authorization/explain.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { grantsInForce, isWithin, periodOf } from '../../src/authorization/grant-times.ts'
import { createPrincipalAccess } from '../../src/vending/principal-access.ts'
import { ORDERS } from '../support/databases/orders.ts'

const START = Date.parse('2026-11-23T10:00:00Z')
const at = (ms: number) => new Date(START + ms).toISOString()

const name = fc.constantFrom('a', 'b')
/** So few moments that many grants begin or end just then. */
const moment = fc.integer({ min: 0, max: 6 })
const timed: fc.Arbitrary<GrantSpec> = fc
  .record(
    {
      principal: fc.record({ issuer: fc.constant('ci'), claims: fc.record({ team: name }) }),
      users: fc.uniqueArray(name, { minLength: 1 }),
      session: fc.constantFrom('shared' as const, 'per-principal' as const),
      notBefore: moment.map(at),
      notAfter: moment.map(at),
    },
    { requiredKeys: ['principal', 'users'] },
  )
  .map(grant => ({ name: 'unnamed', database: 'orders', ...grant }))
const configuration = fc
  .array(timed, { maxLength: 6 })
  .map(grants => grants.map((grant, i): GrantSpec => ({ ...grant, name: `g${i}` })))
/** Those of a configuration that the checks let pass: none ends before it begins. */
const possible = configuration.map(grants =>
  grants.filter(({ notBefore, notAfter }) => !notBefore || !notAfter || notBefore < notAfter),
)
const caller = name.map((team): Principal => ({ issuer: 'ci', subject: 's', claims: { team } }))
/** A clock that is put back and forth, and one that is corrected by less than a millisecond. */
const times = fc.array(
  fc.oneof(fc.integer({ min: -1, max: 8 }), fc.double({ min: -1, max: 8, noNaN: true })),
  {
    minLength: 1,
    maxLength: 12,
  },
)

/** The configuration of one moment: without the grants that are not in force, and without times. */
function inForceOnly(specs: readonly GrantSpec[], now: number): GrantSpec[] {
  return specs
    .filter(({ notBefore }) => notBefore === undefined || now >= Date.parse(notBefore))
    .filter(({ notAfter }) => notAfter === undefined || now < Date.parse(notAfter) + 1)
    .map(({ notBefore: _, notAfter: __, ...always }) => always)
}

describe('a principal with grants that begin and end', () => {
  const database = () => ORDERS

  test('has at any moment what a configuration without those not in force gives, whatever the clock did before', () => {
    fc.assert(
      fc.property(configuration, caller, times, (specs, principal, moments) => {
        let now = 0
        const clock = { now: () => now }
        const access = createPrincipalAccess(principal, { grants: compileGrants(specs), clock, database })
        for (const ms of moments) {
          now = START + ms
          const grants = compileGrants(inForceOnly(specs, now))
          const plain = createPrincipalAccess(principal, { grants, clock, database })
          for (const user of ['a', 'b', undefined]) {
            const [decision, expected] = [access, plain].map(each => {
              const decided = each.decide({ database: 'orders', user })
              return decided.kind === 'granted'
                ? { grant: decided.grant.name, user: decided.user, key: decided.key.id, owner: decided.owner }
                : decided
            })
            expect(decision).toEqual(expected)
          }
          expect(access.entitlements()).toEqual(plain.entitlements())
          expect(access.countedGrant()).toEqual(plain.countedGrant())
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('what was granted is current exactly while the same grants are in force', () => {
    fc.assert(
      fc.property(possible, caller, moment, moment, (specs, principal, first, second) => {
        let now = START + first
        const clock = { now: () => now }
        const access = createPrincipalAccess(principal, { grants: compileGrants(specs), clock, database })
        const decision = access.decide({ database: 'orders', user: 'a' })
        if (decision.kind !== 'granted') return
        now = START + second
        const own = specs.filter(spec => spec.principal.claims?.team === principal.claims.team)
        const namesAt = (ms: number) => inForceOnly(own, START + ms).map(grant => grant.name)
        const [from, to] = [Math.min(first, second), Math.max(first, second)]
        const between = Array.from({ length: to - from + 1 }, (_, i) => namesAt(from + i).join())
        expect(access.isCurrent(decision)).toBe(new Set(between).size === 1)
      }),
      { numRuns: 1000 },
    )
  })

  test('explain agrees with decide at any moment', () => {
    fc.assert(
      fc.property(configuration, caller, moment, (specs, principal, ms) => {
        const compiled = compileGrants(specs)
        const now = START + ms
        const { grants } = grantsInForce(grantsOf(compiled, principal), now)
        const request = { database: 'orders', user: 'a' }
        const [nearest] = explain(compiled, { principal, request, now })
        expect(decide(grants, request).kind === 'granted').toBe(nearest?.misses === 0)
        expect(entitlements(grants)).toEqual(
          entitlements(grantsOf(compileGrants(inForceOnly(specs, now)), principal)),
        )
      }),
    )
  })
})

describe('periodOf', () => {
  const grant: GrantSpec = {
    name: 'g',
    principal: { issuer: 'ci', anyone: true },
    database: 'orders',
    users: ['a'],
  }

  test('is open at an end that is not set, and undefined without either', () => {
    expect(periodOf(grant)).toBeUndefined()
    expect(periodOf({ ...grant, notBefore: at(0) })).toEqual({
      from: START,
      end: Number.POSITIVE_INFINITY,
    })
    expect(periodOf({ ...grant, notAfter: at(0) })).toEqual({
      from: Number.NEGATIVE_INFINITY,
      end: START + 1,
    })
  })

  test('a time that the checks should have refused never lets anybody in', () => {
    for (const times of [{ notBefore: 'soon' }, { notAfter: 'tomorrow' }, { notAfter: '2026-11-24' }])
      for (const now of [0, START, Number.MAX_SAFE_INTEGER])
        expect(isWithin(periodOf({ ...grant, ...times }), now)).toBe(false)
  })
})
