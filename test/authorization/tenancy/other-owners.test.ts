import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Claim, Principal } from '../../../src/authentication/principal.ts'
import { compilePrincipal } from '../../../src/authorization/claim-matcher.ts'
import type { Scalar } from '../../../src/authorization/grant.ts'
import { findScopeProblem } from '../../../src/authorization/grant-scope.ts'
import { declaredRules } from '../../../src/authorization/tenancy/owner-rules.ts'
import { ownerClaimNames } from '../../../src/authorization/tenancy/shared-oidc-provider.ts'
import { SHARED_OIDC_PROVIDERS } from '../../../src/authorization/tenancy/shared-oidc-providers.ts'
import { claimsOf, grantWith, neededBeside, pinsOf } from './support.ts'

const RULES = [
  ...SHARED_OIDC_PROVIDERS.filter(provider => ownerClaimNames(provider).length > 0),
  declaredRules(['org_id', 'team.id', 'sub', 'email']),
]

const OWNER = 'acme'
/** Owners that an outsider may be, with names that come close. */
const outsiders = fc.constantFrom(
  'acme2',
  'xacme',
  'acm',
  'ACME',
  'acme-evil',
  'acme@7',
  'acme.x',
  'x',
  '*',
  '',
)
const rests = fc.constantFrom('', 'app', 'app:ref:refs/heads/main', 'x/y:z', '*')

/** A text with some of it replaced by stars, as people write patterns. */
const patternOf = (text: string) =>
  fc
    .tuple(fc.nat(text.length), fc.nat(text.length), fc.constantFrom('*', '**'), fc.boolean())
    .map(([a, b, stars, isExact]) =>
      isExact ? text : text.slice(0, Math.min(a, b)) + stars + text.slice(Math.max(a, b)),
    )

interface Attempt {
  grant: Readonly<Record<string, Scalar | readonly Scalar[]>>
  jwt: Readonly<Record<string, Claim>>
}

/**
 * A grant for an owner, and the JWT of an outsider: it has all that the grant may want but the owner, or the owner without
 * what has to stand beside it.
 */
const attempts = fc.constantFrom(...RULES).chain(rules => {
  const pins = pinsOf(rules)
  const others = ['ref', 'environment', 'aud', 'email_verified', ...Object.keys(rules.misleadingClaims ?? {})]
  return fc
    .record({
      pin: fc.constantFrom(...pins),
      outsider: outsiders,
      rest: rests,
      isSpoofed: fc.boolean(),
      besideOwner: fc.boolean(),
    })
    .chain(({ pin: { claim, shape }, outsider, rest, isSpoofed, besideOwner }) => {
      const beside = neededBeside(rules, claim)
      const isAnother = isSpoofed && Object.keys(beside).length > 0
      const value = (owner: string) => shape.replace('OWNER', owner) + (shape.endsWith('OWNER') ? '' : rest)
      const unpinned = others.filter(name => pins.every(pin => pin.claim !== name) && !(name in beside))
      const jwt: Record<string, Claim> = {
        ...Object.fromEntries(unpinned.map(name => [name, 'main'])),
        ...(isAnother ? {} : beside),
        [claim]: value(isAnother ? OWNER : outsider),
      }
      return fc
        .record({
          owner: fc.array(patternOf(value(OWNER)), { minLength: 1, maxLength: 3 }),
          isList: fc.boolean(),
          others: fc.subarray(unpinned),
        })
        .map(({ owner, isList, others: chosen }): Attempt => {
          const [first = ''] = owner
          const wanted = isList ? owner : first
          const grant = {
            ...Object.fromEntries(chosen.map(name => [name, 'ma*'])),
            ...(besideOwner && !isAnother ? beside : {}),
            [claim]: wanted,
          }
          return { grant, jwt }
        })
    })
    .map(attempt => ({ rules, ...attempt }))
})

function principalOf(jwt: Attempt['jwt']): Principal {
  const claims = claimsOf(jwt as Record<string, Scalar>) as Principal['claims']
  return { issuer: 'it', subject: String(jwt.sub ?? 'somebody'), claims }
}

test('no grant that is allowed for a shared issuer matches the JWT of another owner', () => {
  let allowed = 0
  fc.assert(
    fc.property(attempts, ({ rules, grant, jwt }) => {
      const spec = grantWith({ claims: claimsOf(grant) })
      if (findScopeProblem(spec, { kind: 'shared', rules }) !== undefined) return
      allowed++
      expect(compilePrincipal(spec.principal).matches(principalOf(jwt))).toBe(false)
    }),
    { numRuns: 20_000 },
  )
  expect(allowed).toBeGreaterThan(1000)
})

test('the same JWTs match some grants that are refused, so the refusals are what keeps them out', () => {
  let matched = 0
  fc.assert(
    fc.property(attempts, ({ rules, grant, jwt }) => {
      const spec = grantWith({ claims: claimsOf(grant) })
      if (findScopeProblem(spec, { kind: 'shared', rules }) === undefined) return
      if (compilePrincipal(spec.principal).matches(principalOf(jwt))) matched++
    }),
    { numRuns: 5000 },
  )
  expect(matched).toBeGreaterThan(100)
})
