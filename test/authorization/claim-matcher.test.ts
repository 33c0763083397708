import { describe, expect, test } from 'vitest'
import type { Claim } from '../../src/authentication/principal.ts'
import { compilePrincipal } from '../../src/authorization/claim-matcher.ts'
import type { ClaimSpec, PrincipalSpec } from '../../src/authorization/grant.ts'

/** Parses as a JWT is parsed: `__proto__` in it is a member like any other. */
const parse = (json: string) => JSON.parse(json)

/** Whether a principal matches; fails if `explain` says otherwise. */
function matches(
  spec: Omit<PrincipalSpec, 'issuer'>,
  claims: Record<string, Claim>,
  subject = 'someone',
): boolean {
  const matcher = compilePrincipal({ issuer: 'github', ...spec })
  const principal = { issuer: 'github', subject, claims }
  const isMatch = matcher.matches(principal)
  const misses = matcher.explain(principal).filter(condition => !condition.holds)
  expect(misses.length === 0, 'the explanation agrees').toBe(isMatch)
  return isMatch
}

const claimMatches = (wanted: ClaimSpec[string], found: Claim) =>
  matches({ claims: { claim: wanted } }, { claim: found })

describe('compilePrincipal', () => {
  test('compares scalars by their text', () => {
    expect(claimMatches(123456, '123456')).toBe(true)
    expect(claimMatches(123456, 123456)).toBe(true)
    expect(claimMatches('123456', 123456)).toBe(true)
    expect(claimMatches('1234*', 123456)).toBe(true)
    expect(claimMatches(true, true)).toBe(true)
    expect(claimMatches('true', true)).toBe(true)
    expect(claimMatches(true, 'true')).toBe(true)
    expect(claimMatches(1.5, 1.5)).toBe(true)
    expect(claimMatches(false, true)).toBe(false)
    expect(claimMatches(1, true)).toBe(false)
    expect(claimMatches(0, '')).toBe(false)
  })

  test('does not take a number beyond 2^53 for its neighbour', () => {
    const victim = parse('{"id": 9007199254740993}').id
    const attacker = parse('{"id": 9007199254740992}').id
    expect(attacker, 'JSON.parse makes them one').toBe(victim)
    expect(claimMatches(victim, attacker)).toBe(false)
    expect(claimMatches('9007199254740992', attacker)).toBe(false)
    expect(claimMatches('**', attacker)).toBe(false)
    expect(claimMatches('9007199254740993', '9007199254740993')).toBe(true)
    expect(claimMatches('1e+400', parse('1e400'))).toBe(false)
    expect(claimMatches('Infinity', parse('1e400'))).toBe(false)
  })

  test('never matches a claim that is missing or null, whatever the pattern', () => {
    expect(matches({ claims: { environment: '**' } }, {})).toBe(false)
    expect(matches({ claims: { environment: '' } }, {})).toBe(false)
    expect(matches({ claims: { environment: 'undefined' } }, {})).toBe(false)
    expect(claimMatches('**', null)).toBe(false)
    expect(claimMatches('null', null)).toBe(false)
    expect(matches({ claims: { a: { b: '**' } } }, {})).toBe(false)
    expect(claimMatches('**', '')).toBe(true)
  })

  test('takes nothing that objects inherit for a claim', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const spec = parse(`{"${name}": "**"}`)
      expect(matches({ claims: spec }, {}), name).toBe(false)
      expect(matches({ claims: { [name]: { name: '**' } } }, {}), name).toBe(false)
      expect(matches({ claims: spec }, parse(`{"${name}": "x"}`)), name).toBe(true)
    }
    expect(matches({ claims: { role: 'admin' } }, parse('{"__proto__": {"role": "admin"}}'))).toBe(false)
    expect(matches({ claims: { length: '3' } }, parse('{"roles": ["a", "b", "c"]}'))).toBe(false)
    expect(matches({ claims: { roles: { length: '**' } } }, { roles: ['a', 'b', 'c'] })).toBe(false)
  })

  test('matches a list if one of its own elements matches', () => {
    expect(claimMatches('admin', ['user', 'admin'])).toBe(true)
    expect(claimMatches(7, [6, 7])).toBe(true)
    expect(claimMatches('admin', ['user', ['admin']])).toBe(false)
    expect(claimMatches('user,admin', ['user', 'admin'])).toBe(false)
    expect(claimMatches('**', [])).toBe(false)
    expect(claimMatches('**', [null, {}, []])).toBe(false)
  })

  test('looks at the first 256 elements of a list', () => {
    const filler = Array(255).fill('x')
    for (const [wanted, found] of [
      ['admin', 'admin'],
      ['adm*', 'admin'],
      [7, '7'],
      [{ role: 'admin' }, { role: 'admin' }],
    ] as const) {
      expect(claimMatches(wanted, [...filler, found])).toBe(true)
      expect(claimMatches(wanted, [...filler, 'x', found])).toBe(false)
    }
  })

  test('looks at 2048 characters with a wildcard, and compares any number without', () => {
    expect(claimMatches('a**', 'a'.repeat(2048))).toBe(true)
    expect(claimMatches('a**', 'a'.repeat(2049))).toBe(false)
    expect(claimMatches('**', 'a'.repeat(9000))).toBe(false)
    expect(claimMatches('a'.repeat(9000), 'a'.repeat(9000))).toBe(true)
    expect(claimMatches(['x*', 'a'.repeat(9000)], 'a'.repeat(9000))).toBe(true)
    expect(matches({ subject: '**' }, {}, 's'.repeat(9000))).toBe(false)
  })

  test('agrees with its explanation of long lists of objects, of which it shows one that matches or comes near', () => {
    const objects = Array.from({ length: 200 }, (_, i) => ({ group: 'g', role: `r${i}` }))
    expect(claimMatches({ group: 'g', role: 'r199' }, objects)).toBe(true)
    expect(claimMatches({ group: 'g', role: 'r200' }, objects)).toBe(false)
  })

  test('matches any of several wanted values, and nothing if there are none', () => {
    const wanted = ['refs/heads/main', 'refs/tags/v*']
    expect(claimMatches(wanted, 'refs/tags/v1')).toBe(true)
    expect(claimMatches(wanted, 'refs/heads/dev')).toBe(false)
    expect(claimMatches([], 'x')).toBe(false)
  })

  test('does not take an object for text or text for an object', () => {
    expect(claimMatches('**', { a: 'b' })).toBe(false)
    expect(claimMatches('[object Object]', { a: 'b' })).toBe(false)
    expect(claimMatches({ a: 'b' }, 'b')).toBe(false)
    expect(claimMatches({ length: 1 }, 'b')).toBe(false)
    expect(claimMatches({}, 'b')).toBe(false)
  })

  test('demands every named claim, nested as in the JWT', () => {
    const claims = { 'kubernetes.io': { namespace: 'web', serviceaccount: { name: ['api', 'job-*'] } } }
    const claimsOf = (namespace: string, name: string) => ({
      'kubernetes.io': { namespace, serviceaccount: { name } },
    })
    expect(matches({ claims }, claimsOf('web', 'job-7'))).toBe(true)
    expect(matches({ claims }, claimsOf('web', 'other'))).toBe(false)
    expect(matches({ claims }, claimsOf('evil', 'api'))).toBe(false)
    expect(matches({ claims }, { 'kubernetes.io.namespace': 'web', name: 'api' })).toBe(false)
    expect(matches({ claims: { a: '1', b: '2' } }, { a: '1' })).toBe(false)
  })

  test('does not match members that are spread over several objects of a list', () => {
    const claims = { membership: { group: 'ops', role: 'owner' } }
    expect(matches({ claims }, { membership: [{ group: 'x' }, { group: 'ops', role: 'owner' }] })).toBe(true)
    const spread = [
      { group: 'ops', role: 'guest' },
      { group: 'mine', role: 'owner' },
    ]
    expect(matches({ claims }, { membership: spread })).toBe(false)
    expect(matches({ claims }, { membership: [[{ group: 'ops', role: 'owner' }]] })).toBe(false)
  })

  test('matches the subject in the same way, beside claims', () => {
    const spec = { subject: ['repo:acme/*:ref:refs/heads/main', 'nightly-*'], claims: { ref: 'main' } }
    expect(matches(spec, { ref: 'main' }, 'repo:acme/app:ref:refs/heads/main')).toBe(true)
    expect(matches(spec, { ref: 'main' }, 'nightly-report')).toBe(true)
    expect(matches(spec, { ref: 'dev' }, 'nightly-report')).toBe(false)
    expect(matches(spec, { ref: 'main' }, 'repo:acme-evil/app:ref:refs/heads/main')).toBe(false)
    expect(matches(spec, { ref: 'main', sub: 'nightly-report' }, 'other')).toBe(false)
  })

  test('matches everybody only if it says so', () => {
    expect(matches({ anyone: true }, {})).toBe(true)
    expect(matches({}, {})).toBe(false)
    expect(matches({ claims: {} }, { a: 'b' })).toBe(false)
    expect(matches({ anyone: false }, {})).toBe(false)
  })

  test('explains the element of a list that comes nearest', () => {
    const matcher = compilePrincipal({ issuer: 'x', claims: { m: { group: 'ops', role: 'owner' } } })
    const claims = {
      m: [
        { group: 'a', role: 'b' },
        { group: 'ops', role: 'guest' },
      ],
    }
    expect(matcher.explain({ issuer: 'x', subject: 's', claims })).toEqual([
      { name: 'claim m.group', wanted: ['ops'], found: 'ops', holds: true },
      { name: 'claim m.role', wanted: ['owner'], found: 'guest', holds: false },
    ])
  })
})
