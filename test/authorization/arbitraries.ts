import fc from 'fast-check'
import type { Claim, Principal } from '../../src/authentication/principal.ts'
import type { ClaimSpec, PrincipalSpec } from '../../src/authorization/grant.ts'

const HUGE = 2 ** 60
/** Few, so that many of them meet: names that objects have, texts of numbers, pieces of one another, characters beyond 16 bits. */
const name = fc.constantFrom('a', 'b', 'a.b', 'sub', 'claims', 'subject', '__proto__', 'constructor', '')
const text = fc.constantFrom(
  '1',
  '1.5',
  'true',
  'null',
  'x',
  'x/y',
  'x/y/z',
  'é',
  'e\u0301',
  '😀',
  '\ud83d',
  'x*',
  '',
)
const pattern = fc.constantFrom(
  '*',
  '**',
  'x*',
  'x/*',
  'x/**',
  '*/z',
  'x/*/z',
  '😀*',
  '\ud83d*',
  '1*',
  'x/y/z**',
)
const number = fc.constantFrom(1, 1.5, -0, HUGE)
const wantedScalar = fc.oneof(text, pattern, number, fc.boolean())
const wanted = fc.oneof(wantedScalar, fc.array(wantedScalar, { maxLength: 3 }))
/** As JSON.parse makes them: `__proto__` is a member like any other. */
const members = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, value), { maxLength: 3 }).map(entries => Object.fromEntries(entries))

const { spec } = fc.letrec<{ spec: ClaimSpec; value: ClaimSpec[string] }>(tie => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, wanted, tie('spec')),
  spec: members(tie('value')) as fc.Arbitrary<ClaimSpec>,
}))
export const principalSpec: fc.Arbitrary<PrincipalSpec> = fc.record(
  {
    issuer: fc.constantFrom('ci', 'apiKey'),
    subject: fc.oneof(text, pattern, fc.array(fc.oneof(text, pattern), { maxLength: 3 })),
    claims: spec,
    anyone: fc.boolean(),
  },
  { requiredKeys: ['issuer'] },
)
const { claims } = fc.letrec<{ claims: Record<string, Claim>; claim: Claim }>(tie => ({
  claim: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('claim'), { maxLength: 3 }),
    tie('claims'),
  ),
  claims: members(tie('claim')),
}))
export const anyPrincipal: fc.Arbitrary<Principal> = fc.record({
  issuer: fc.constant('ci'),
  subject: text,
  claims,
})
