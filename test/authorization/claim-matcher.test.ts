import { describe, expect, test } from 'vitest'
import type { Claim } from '../../src/authentication/principal.ts'
import { compilePrincipal } from '../../src/authorization/claim-matcher.ts'
import type { ClaimSpec, PrincipalSpec } from '../../src/authorization/grant.ts'

/** As it comes out of a JWT: `__proto__` in it is a member like any other. */
const parse = (json: string) => JSON.parse(json)

function holds(
  spec: Omit<PrincipalSpec, 'issuer'>,
  claims: Record<string, Claim>,
  subject = 'someone',
): boolean {
  const check = compilePrincipal({ issuer: 'github', ...spec })
  const principal = { issuer: 'github', subject, claims }
  const verdict = check.holds(principal)
  const misses = check.explain(principal).filter(finding => !finding.holds)
  expect(misses.length === 0, 'the explanation agrees with the verdict').toBe(verdict)
  return verdict
}

const claimHolds = (wanted: ClaimSpec[string], found: Claim) =>
  holds({ claims: { claim: wanted } }, { claim: found })

describe('compilePrincipal', () => {
  test('compares scalars by their text', () => {
    expect(claimHolds(123456, '123456')).toBe(true)
    expect(claimHolds(123456, 123456)).toBe(true)
    expect(claimHolds('123456', 123456)).toBe(true)
    expect(claimHolds('1234*', 123456)).toBe(true)
    expect(claimHolds(true, true)).toBe(true)
    expect(claimHolds('true', true)).toBe(true)
    expect(claimHolds(true, 'true')).toBe(true)
    expect(claimHolds(1.5, 1.5)).toBe(true)
    expect(claimHolds(false, true)).toBe(false)
    expect(claimHolds(1, true)).toBe(false)
    expect(claimHolds(0, '')).toBe(false)
  })

  test('does not take one number beyond 2^53 for its neighbour', () => {
    const victim = parse('{"id": 9007199254740993}').id
    const attacker = parse('{"id": 9007199254740992}').id
    expect(attacker, 'JSON.parse makes them one').toBe(victim)
    expect(claimHolds(victim, attacker)).toBe(false)
    expect(claimHolds('9007199254740992', attacker)).toBe(false)
    expect(claimHolds('**', attacker)).toBe(false)
    expect(claimHolds('9007199254740993', '9007199254740993')).toBe(true)
    expect(claimHolds('1e+400', parse('1e400'))).toBe(false)
    expect(claimHolds('Infinity', parse('1e400'))).toBe(false)
  })

  test('never matches a claim that is missing or null, whatever the pattern', () => {
    expect(holds({ claims: { environment: '**' } }, {})).toBe(false)
    expect(holds({ claims: { environment: '' } }, {})).toBe(false)
    expect(holds({ claims: { environment: 'undefined' } }, {})).toBe(false)
    expect(claimHolds('**', null)).toBe(false)
    expect(claimHolds('null', null)).toBe(false)
    expect(holds({ claims: { a: { b: '**' } } }, {})).toBe(false)
    expect(claimHolds('**', '')).toBe(true)
  })

  test('takes nothing that objects inherit for a claim', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const spec = parse(`{"${name}": "**"}`)
      expect(holds({ claims: spec }, {}), name).toBe(false)
      expect(holds({ claims: { [name]: { name: '**' } } }, {}), name).toBe(false)
      expect(holds({ claims: spec }, parse(`{"${name}": "x"}`)), name).toBe(true)
    }
    expect(holds({ claims: { role: 'admin' } }, parse('{"__proto__": {"role": "admin"}}'))).toBe(false)
    expect(holds({ claims: { length: '3' } }, parse('{"roles": ["a", "b", "c"]}'))).toBe(false)
    expect(holds({ claims: { roles: { length: '**' } } }, { roles: ['a', 'b', 'c'] })).toBe(false)
  })

  test('holds for a list where one of its own elements does', () => {
    expect(claimHolds('admin', ['user', 'admin'])).toBe(true)
    expect(claimHolds(7, [6, 7])).toBe(true)
    expect(claimHolds('admin', ['user', ['admin']])).toBe(false)
    expect(claimHolds('user,admin', ['user', 'admin'])).toBe(false)
    expect(claimHolds('**', [])).toBe(false)
    expect(claimHolds('**', [null, {}, []])).toBe(false)
  })

  test('takes any of several wanted values, and none of none', () => {
    const wanted = ['refs/heads/main', 'refs/tags/v*']
    expect(claimHolds(wanted, 'refs/tags/v1')).toBe(true)
    expect(claimHolds(wanted, 'refs/heads/dev')).toBe(false)
    expect(claimHolds([], 'x')).toBe(false)
  })

  test('does not take an object for text or text for an object', () => {
    expect(claimHolds('**', { a: 'b' })).toBe(false)
    expect(claimHolds('[object Object]', { a: 'b' })).toBe(false)
    expect(claimHolds({ a: 'b' }, 'b')).toBe(false)
    expect(claimHolds({ length: 1 }, 'b')).toBe(false)
    expect(claimHolds({}, 'b')).toBe(false)
  })

  test('wants every named claim, nested as in the JWT', () => {
    const claims = { 'kubernetes.io': { namespace: 'web', serviceaccount: { name: ['api', 'job-*'] } } }
    const found = (namespace: string, name: string) => ({
      'kubernetes.io': { namespace, serviceaccount: { name } },
    })
    expect(holds({ claims }, found('web', 'job-7'))).toBe(true)
    expect(holds({ claims }, found('web', 'other'))).toBe(false)
    expect(holds({ claims }, found('evil', 'api'))).toBe(false)
    expect(holds({ claims }, { 'kubernetes.io.namespace': 'web', name: 'api' })).toBe(false)
    expect(holds({ claims: { a: '1', b: '2' } }, { a: '1' })).toBe(false)
  })

  test('does not gather what is wanted from several objects of a list', () => {
    const claims = { membership: { group: 'ops', role: 'owner' } }
    expect(holds({ claims }, { membership: [{ group: 'x' }, { group: 'ops', role: 'owner' }] })).toBe(true)
    const spread = [
      { group: 'ops', role: 'guest' },
      { group: 'mine', role: 'owner' },
    ]
    expect(holds({ claims }, { membership: spread })).toBe(false)
    expect(holds({ claims }, { membership: [[{ group: 'ops', role: 'owner' }]] })).toBe(false)
  })

  test('matches the subject in the same way, beside claims', () => {
    const spec = { subject: ['repo:acme/*:ref:refs/heads/main', 'nightly-*'], claims: { ref: 'main' } }
    expect(holds(spec, { ref: 'main' }, 'repo:acme/app:ref:refs/heads/main')).toBe(true)
    expect(holds(spec, { ref: 'main' }, 'nightly-report')).toBe(true)
    expect(holds(spec, { ref: 'dev' }, 'nightly-report')).toBe(false)
    expect(holds(spec, { ref: 'main' }, 'repo:acme-evil/app:ref:refs/heads/main')).toBe(false)
    expect(holds(spec, { ref: 'main', sub: 'nightly-report' }, 'other')).toBe(false)
  })

  test('means everybody only where it says so', () => {
    expect(holds({ anyone: true }, {})).toBe(true)
    expect(holds({}, {})).toBe(false)
    expect(holds({ claims: {} }, { a: 'b' })).toBe(false)
    expect(holds({ anyone: false }, {})).toBe(false)
  })

  test('tells the element of a list that comes nearest', () => {
    const check = compilePrincipal({ issuer: 'x', claims: { m: { group: 'ops', role: 'owner' } } })
    const claims = {
      m: [
        { group: 'a', role: 'b' },
        { group: 'ops', role: 'guest' },
      ],
    }
    expect(check.explain({ issuer: 'x', subject: 's', claims })).toEqual([
      { name: 'claim m.group', wanted: ['ops'], found: 'ops', holds: true },
      { name: 'claim m.role', wanted: ['owner'], found: 'guest', holds: false },
    ])
  })
})
