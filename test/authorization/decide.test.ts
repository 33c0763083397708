import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Claim } from '../../src/authentication/principal.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import { type Decision, decide, entitlements, grantsOf } from '../../src/authorization/decide.ts'
import { explain } from '../../src/authorization/explain.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'

const github = (claims: Record<string, Claim>) => ({ issuer: 'github', subject: 'repo:acme/app', claims })
const main = github({ repository_id: '1', ref: 'refs/heads/main' })
const dev = github({ repository_id: '1', ref: 'refs/heads/dev' })

const grants = compileGrants([
  {
    name: 'orders-deploy',
    principal: { issuer: 'github', claims: { repository_id: 1, ref: 'refs/heads/main' } },
    database: 'orders',
    users: ['migrator', 'app_ro'],
    session: 'per-principal',
  },
  {
    name: 'orders-read',
    principal: { issuer: 'github', claims: { repository_id: 1 } },
    database: 'orders',
    users: ['app_ro'],
  },
  {
    name: 'billing-read',
    principal: { issuer: 'github', claims: { repository_id: 1 } },
    database: 'billing',
    users: ['app_ro'],
  },
  {
    name: 'orders-nightly',
    principal: { issuer: 'apiKey', subject: 'nightly' },
    database: 'orders',
    users: ['report'],
  },
])

/** The users that a decision names; undefined if it denies. */
function usersOf(decision: Decision): readonly string[] | undefined {
  if (decision.kind === 'granted') return [decision.user]
  return decision.kind === 'denied' ? undefined : decision.users
}

const outcome = (principal: typeof main, database: string, user?: string) => {
  const decision = decide(grantsOf(grants, principal), { database, user })
  return decision.kind === 'granted' ? `${decision.grant.name} as ${decision.user}` : decision
}

describe('decide', () => {
  test('returns the first grant in the file that allows the request', () => {
    expect(outcome(main, 'orders', 'migrator')).toBe('orders-deploy as migrator')
    expect(outcome(main, 'orders', 'app_ro')).toBe('orders-deploy as app_ro')
    expect(outcome(dev, 'orders', 'app_ro')).toBe('orders-read as app_ro')
  })

  test('returns the grant’s kind of session, shared unless configured otherwise', () => {
    const sessionOf = (principal: typeof main) => {
      const decision = decide(grantsOf(grants, principal), { database: 'orders', user: 'app_ro' })
      return decision.kind === 'granted' && decision.grant.session
    }
    expect(sessionOf(main)).toBe('per-principal')
    expect(sessionOf(dev)).toBe('shared')
  })

  test('denies another user, another database and another issuer alike', () => {
    const denied = { kind: 'denied' }
    expect(outcome(dev, 'orders', 'migrator')).toEqual(denied)
    expect(outcome(main, 'orders', 'MIGRATOR')).toEqual(denied)
    expect(outcome(main, 'orders', '')).toEqual(denied)
    expect(outcome(main, 'ledger', 'app_ro')).toEqual(denied)
    expect(outcome(main, 'constructor')).toEqual(denied)
    expect(outcome({ ...main, issuer: 'gitlab' }, 'orders', 'app_ro')).toEqual(denied)
    expect(outcome({ ...main, issuer: 'apiKey' }, 'orders')).toEqual(denied)
    expect(outcome({ ...main, issuer: '__proto__' }, 'orders')).toEqual(denied)
  })

  test('does not take the subject of a JWT for the name of an API key', () => {
    expect(outcome({ ...main, subject: 'nightly' }, 'orders', 'report')).toEqual({ kind: 'denied' })
    expect(outcome({ issuer: 'apiKey', subject: 'nightly', claims: {} }, 'orders')).toBe(
      'orders-nightly as report',
    )
  })

  test('finds the user if all matching grants together have only one', () => {
    expect(outcome(dev, 'orders')).toBe('orders-read as app_ro')
    expect(outcome(main, 'billing')).toBe('billing-read as app_ro')
    expect(outcome(main, 'orders')).toEqual({ kind: 'user-required', users: ['migrator', 'app_ro'] })
  })

  test('names no user of a grant that does not match', () => {
    expect(outcome(github({ repository_id: '2', ref: 'refs/heads/main' }), 'orders')).toEqual({
      kind: 'denied',
    })
  })

  test('agrees with entitlements and explain, whatever the grants', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const spec: fc.Arbitrary<GrantSpec> = fc.record({
      name,
      principal: fc.record({
        issuer: name,
        claims: fc.dictionary(name, name, { maxKeys: 2 }),
        anyone: fc.boolean(),
      }),
      database: name,
      users: fc.uniqueArray(name, { minLength: 1 }),
    })
    const anyPrincipal = fc.record({ issuer: name, subject: name, claims: fc.dictionary(name, name) })
    fc.assert(
      fc.property(
        fc.array(spec, { maxLength: 6 }),
        anyPrincipal,
        name,
        name,
        (specs, principal, database, user) => {
          const compiled = compileGrants(specs)
          const decision = decide(grantsOf(compiled, principal), { database, user })
          const entitled = entitlements(grantsOf(compiled, principal)).find(
            entitlement => entitlement.database === database,
          )
          const [nearest] = explain(compiled, { principal, request: { database, user }, now: 0 })
          expect(decision.kind === 'granted').toBe(entitled?.users.includes(user) ?? false)
          expect(decision.kind === 'granted').toBe(nearest?.misses === 0)
          const withoutUser = decide(grantsOf(compiled, principal), { database })
          const users = usersOf(withoutUser)
          expect(users).toEqual(entitled?.users)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('grantsOf', () => {
  test('returns what a principal meets, for whatever database, in the order of the file', () => {
    const namesOf = (principal: typeof main) => grantsOf(grants, principal).map(grant => grant.name)
    expect(namesOf(main)).toEqual(['orders-deploy', 'orders-read', 'billing-read'])
    expect(namesOf(dev)).toEqual(['orders-read', 'billing-read'])
    expect(namesOf({ ...main, issuer: 'gitlab' })).toEqual([])
  })
})

describe('entitlements', () => {
  test('lists databases and users in the order of the file, none twice', () => {
    expect(entitlements(grantsOf(grants, main))).toEqual([
      { database: 'orders', users: ['migrator', 'app_ro'] },
      { database: 'billing', users: ['app_ro'] },
    ])
    expect(entitlements(grantsOf(grants, dev))).toEqual([
      { database: 'orders', users: ['app_ro'] },
      { database: 'billing', users: ['app_ro'] },
    ])
    expect(entitlements(grantsOf(grants, github({})))).toEqual([])
  })
})
