import { describe, expect, test } from 'vitest'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { UsageError } from '../../src/errors.ts'
import { explainAccess } from '../../src/vending/explained-access.ts'
import { parseGivenClaims } from '../../src/vending/given-claims.ts'

const NOW = Date.parse('2026-11-27T10:00:00Z')
const OWN = { name: 'own', issuer: 'https://issuer.example', audience: 'jeton' }
const HUB = { name: 'hub', issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' }
const grant = (name: string, principal: GrantSpec['principal']): GrantSpec => ({
  name,
  principal,
  database: 'orders',
  users: ['app'],
})
const GRANTS = [
  grant('far', { issuer: 'own', subject: 'other', claims: { team: 'x' } }),
  grant('near', { issuer: 'own', subject: 'deployer', claims: { team: 'x' } }),
  grant('hub', { issuer: 'hub', subject: 'repo:acme/orders:**' }),
]

const explained = (text: string, options: { issuerName?: string; maxGrants?: number } = {}) =>
  explainAccess(parseGivenClaims(text), {
    grants: compileGrants(GRANTS),
    issuers: [OWN, HUB],
    issuerName: undefined,
    issuerOption: 'the field Issuer',
    request: { database: 'orders' },
    now: NOW,
    ...options,
  })

const claims = (more: object = {}) => ({ iss: OWN.issuer, aud: 'jeton', sub: 'deployer', ...more })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('explainAccess', () => {
  test('says which grant allows it, before the nearest misses', () => {
    const { principal, notes, grants, isGranted } = explained(JSON.stringify(claims({ team: 'x' })))
    expect(principal).toEqual({ issuer: 'own', subject: 'deployer' })
    expect([isGranted, notes]).toEqual([true, []])
    expect(grants.map(({ grant: name, misses }) => [name, misses])).toEqual([
      ['near', 0],
      ['far', 1],
      ['hub', 2],
    ])
  })

  test('returns no more grants than it was asked for, the nearest ones', () => {
    const { grants, isGranted } = explained(JSON.stringify(claims()), { maxGrants: 1 })
    expect(grants.map(({ grant: name }) => name)).toEqual(['near'])
    expect(isGranted).toBe(false)
  })

  test('notes what of a JWT without its signature would not verify, at the time that it is given', () => {
    const iat = NOW / 1000 - 7200
    const jwt = `${part({ alg: 'RS256' })}.${part(claims({ aud: 'other', iat, exp: iat + 3600 }))}.`
    expect(explained(jwt).notes).toEqual([
      'nothing of the JWT was verified, its signature least of all',
      'jeton would refuse it: it expired at 2026-11-27T09:00:00.000Z',
      'jeton would refuse it: the audience of the JWT is not "jeton"',
    ])
  })

  test('hints at ids in a subject of GitHub', () => {
    const sub = 'repo:acme@1/orders@2:ref:refs/heads/main'
    const { grants } = explained(JSON.stringify({ iss: HUB.issuer, aud: 'jeton', sub }))
    expect(grants[0]).toMatchObject({ grant: 'hub', hint: expect.stringContaining('this subject has ids') })
    expect(grants.slice(1).some(({ hint }) => hint !== undefined)).toBe(false)
  })

  test('says by what an issuer can be named', () => {
    const foreign = JSON.stringify(claims({ iss: 'https://other.example' }))
    expect(() => explained(foreign)).toThrow(UsageError)
    expect(() => explained(foreign)).toThrow('name one with the field Issuer (own, hub, or apiKey)')
    expect(() => explained(foreign, { issuerName: 'nobody' })).toThrow('the field Issuer: the configuration')
    expect(explained(foreign, { issuerName: 'own' }).notes).toEqual([
      'own accepts no JWT with this "iss" or "aud"',
    ])
  })
})
