import { describe, expect, test } from 'vitest'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { ClaimSpec } from '../../src/authorization/grant.ts'

const grant = (issuer: string, claims?: ClaimSpec) => ({
  name: 'g',
  principal: claims ? { issuer, claims } : { issuer, subject: 'x' },
  database: 'orders',
  users: ['app'],
})

const pick = (named: ClaimSpec[], json: string) =>
  JSON.stringify(
    compileGrants(named.map(claims => grant('github', claims)))
      .auditedClaims('github')
      .pick({ issuer: 'github', subject: 's', claims: JSON.parse(json) }),
  )

describe('collectAuditedClaims', () => {
  test('returns the claims that the grants of one issuer name, none twice', () => {
    const grants = compileGrants([
      grant('github', { ref: 'main', repository_id: 1 }),
      grant('github', { ref: 'dev', nested: { a: 'x' } }),
      grant('github', { nested: { b: { c: 'y' } } }),
      grant('gitlab', { project_id: 1 }),
      grant('apiKey'),
    ])
    expect(grants.auditedClaims('github').paths).toEqual([
      ['ref'],
      ['repository_id'],
      ['nested', 'a'],
      ['nested', 'b', 'c'],
    ])
    expect(grants.auditedClaims('gitlab').paths).toEqual([['project_id']])
    expect(grants.auditedClaims('apiKey').paths).toEqual([])
    expect(grants.auditedClaims('unknown').paths).toEqual([])
  })

  test('picks these alone, nested as in the JWT', () => {
    const spec = { ref: 'x', n: { a: 'x', deep: { c: 'x' } } }
    expect(pick([spec], '{"email":"private","ref":"main","n":{"a":1,"z":2,"deep":{"c":null,"d":4}}}')).toBe(
      '{"ref":"main","n":{"a":1,"deep":{"c":null}}}',
    )
    expect(pick([spec], '{"email":"private"}')).toBe('{}')
  })

  test('picks nothing out of an object if text is wanted, and no text if an object is', () => {
    expect(pick([{ ref: 'x' }], '{"ref":{"password":"x"}}')).toBe('{}')
    expect(pick([{ ref: 'x' }], '{"ref":["a",{"password":"x"},["b"],7]}')).toBe('{"ref":["a",7]}')
    expect(pick([{ n: { a: 'x' } }], '{"n":"text"}')).toBe('{}')
    expect(pick([{ n: { a: 'x' } }, { n: 'x' }], '{"n":["text",{"a":1,"b":2}]}')).toBe(
      '{"n":["text",{"a":1}]}',
    )
  })

  test('picks those elements of a list that grants look at, however deep the others are', () => {
    const deep = '['.repeat(3000) + ']'.repeat(3000)
    const picked = JSON.parse(pick([{ ref: 'x' }], `{"ref":[${deep},{"a":${deep}},${'1,'.repeat(5000)}2]}`))
    expect(picked).toEqual({ ref: Array(254).fill(1) })
  })

  test('takes names that mean something to objects for names', () => {
    const spec = JSON.parse('{"__proto__": {"admin": "x"}, "constructor": "x", "toString": "x"}')
    expect(pick([spec], '{}')).toBe('{}')
    expect(pick([spec], '{"__proto__":{"admin":true}}')).toBe('{"__proto__":{"admin":true}}')
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })
})
