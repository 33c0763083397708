import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Principal } from '../../../src/authentication/principal.ts'
import { compileGrants } from '../../../src/authorization/compiled-grants.ts'
import { grantsOf } from '../../../src/authorization/decide.ts'
import type { PrincipalSpec } from '../../../src/authorization/grant.ts'
import { exampleClaims, parseClaims } from '../../../src/dev/issuer/example-claims.ts'

const pattern = fc.array(fc.constantFrom('a', '/', '*', '**', ':', 'v1', '"'), { minLength: 1, maxLength: 6 })
const wanted = fc.oneof(
  pattern.map(parts => parts.join('')),
  fc.integer(),
  fc.boolean(),
  fc.array(
    pattern.map(parts => parts.join('')),
    { minLength: 1, maxLength: 3 },
  ),
)
const claimName = fc.constantFrom('repository', 'ref', 'kubernetes.io', 'a.b')
const claims = fc.dictionary(claimName, fc.oneof(wanted, fc.dictionary(claimName, wanted, { minKeys: 1 })), {
  minKeys: 1,
})

test('claims of exampleClaims meet the grant, whatever it wants', () => {
  fc.assert(
    fc.property(claims, fc.option(fc.constantFrom('me', 'system:*', 'repo:**')), (claims, subject) => {
      const principal: PrincipalSpec = { issuer: 'ci', claims, ...(subject !== null && { subject }) }
      const example = { sub: 'dev', ...exampleClaims(principal) } as Principal['claims'] & { sub: string }
      const compiled = compileGrants([{ name: 'g', principal, database: 'orders', users: ['app'] }])
      expect(grantsOf(compiled, { issuer: 'ci', subject: example.sub, claims: example })).toHaveLength(1)
    }),
  )
})

test('parseClaims takes an object, and nothing for none; null leaves a claim out', () => {
  expect(parseClaims('')).toEqual({})
  expect(parseClaims('{"ref":"main","sub":null,"nested":{"a":[1]}}')).toEqual({
    ref: 'main',
    sub: undefined,
    nested: { a: [1] },
  })
  for (const text of ['[]', 'null', '"x"', '{', 'ref=main']) expect(parseClaims(text)).toBeUndefined()
})
