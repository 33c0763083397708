import { describe, expect, test } from 'vitest'
import type { Claim } from '../../src/authentication/principal.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import { explain, nearestReason } from '../../src/authorization/explain.ts'
import type { ClaimSpec } from '../../src/authorization/grant.ts'
import { countingClaims } from './support.ts'

const github = (claims: Record<string, Claim>) => ({ issuer: 'github', subject: 'repo:acme/app', claims })
const grant = (
  name: string,
  claims: ClaimSpec,
  more: { issuer?: string; database?: string; users?: string[] } = {},
) => ({
  name,
  principal: { issuer: more.issuer ?? 'github', claims, anyone: Object.keys(claims).length === 0 },
  database: more.database ?? 'orders',
  users: more.users ?? ['migrator'],
})

const deploy = grant('orders-deploy', { repository_id: 1, ref: ['refs/heads/main', 'refs/tags/v*'] })
const dev = github({ repository_id: '1', ref: 'refs/heads/dev' })
const request = { database: 'orders', user: 'migrator' }

describe('explain', () => {
  test('says of each condition what was wanted and what was found', () => {
    expect(explain(compileGrants([deploy]), { principal: dev, request })).toEqual([
      {
        grant: 'orders-deploy',
        database: 'orders',
        users: ['migrator'],
        misses: 1,
        conditions: [
          { name: 'issuer', wanted: ['github'], found: '"github"', holds: true },
          { name: 'database', wanted: ['orders'], found: '"orders"', holds: true },
          { name: 'user', wanted: ['migrator'], found: '"migrator"', holds: true },
          { name: 'claim repository_id', wanted: ['1'], found: '"1"', holds: true },
          {
            name: 'claim ref',
            wanted: ['refs/heads/main', 'refs/tags/v*'],
            found: '"refs/heads/dev"',
            holds: false,
          },
        ],
      },
    ])
  })

  test('puts the nearest miss first, those of another issuer last, ties in the order of the file', () => {
    const grants = compileGrants([
      grant('foreign', {}, { issuer: 'gitlab' }),
      grant('two-off', { a: '1', b: '2' }),
      grant('elsewhere', {}, { database: 'billing' }),
      grant('one-off', { a: '1' }),
      grant('one-off-too', { b: '1' }),
      grant('it', {}),
    ])
    const names = (requested: { database?: string; user?: string }) =>
      explain(grants, { principal: github({}), request: requested }).map(explanation => explanation.grant)
    expect(names(request)).toEqual(['it', 'one-off', 'one-off-too', 'elsewhere', 'two-off', 'foreign'])
    expect(names({})).toEqual(['elsewhere', 'it', 'one-off', 'one-off-too', 'two-off', 'foreign'])
    for (const max of [0, 1, 3, 5, 6, 7]) {
      const nearest = explain(grants, { principal: github({}), request }, max)
      expect(nearest.map(explanation => explanation.grant)).toEqual(names(request).slice(0, max))
    }
  })

  test('has no condition for what the request leaves out', () => {
    const [only] = explain(compileGrants([deploy]), { principal: dev, request: {} })
    expect(only?.conditions.map(condition => condition.name)).toEqual([
      'issuer',
      'claim repository_id',
      'claim ref',
    ])
  })

  test('lists what is wanted inside an object that is missing', () => {
    const grants = compileGrants([
      grant('k8s', { 'kubernetes.io': { namespace: 'web', pod: { name: 'x' } } }),
    ])
    const missed = explain(grants, { principal: github({}), request: {} })[0]?.conditions.filter(
      condition => !condition.holds,
    )
    expect(missed).toEqual([
      { name: 'claim kubernetes.io.namespace', wanted: ['web'], found: undefined, holds: false },
      { name: 'claim kubernetes.io.pod.name', wanted: ['x'], found: undefined, holds: false },
    ])
  })
})

describe('nearestReason', () => {
  const reason = (claims: Record<string, Claim>, requested = request) =>
    nearestReason(compileGrants([grant('far', { repository_id: 9, ref: 'x', a: 'b' }), deploy]), {
      principal: github(claims),
      request: requested,
    })

  test('names the nearest grant and the claim that missed', () => {
    expect(nearestReason(compileGrants([deploy]), { principal: dev, request })).toBe(
      'nearest grant orders-deploy: claim ref is "refs/heads/dev", wanted refs/heads/main or refs/tags/v*',
    )
    expect(reason({ ref: 'refs/heads/main' })).toBe(
      'nearest grant orders-deploy: claim repository_id is missing, wanted 1',
    )
  })

  test('names the user or the database if that is what missed', () => {
    const main = { repository_id: 1, ref: 'refs/heads/main' }
    expect(reason(main, { database: 'orders', user: 'root' })).toBe(
      'nearest grant orders-deploy: user is "root", wanted migrator',
    )
    expect(reason(main, { database: 'ordres', user: 'migrator' })).toBe(
      'nearest grant orders-deploy: database is "ordres", wanted orders',
    )
  })

  test('prefers grants for the requested database', () => {
    const grants = compileGrants([
      grant('other', {}, { database: 'billing' }),
      grant('hard', { a: '1', b: '2' }),
    ])
    expect(nearestReason(grants, { principal: github({}), request })).toBe(
      'nearest grant hard: claim a is missing, wanted 1; claim b is missing, wanted 2',
    )
  })

  test('says if no grant is for the issuer', () => {
    const grants = compileGrants([grant('theirs', {}, { issuer: 'gitlab' })])
    expect(nearestReason(grants, { principal: github({}), request })).toBe('no grant is for issuer github')
  })

  test('lets no claim forge a second line or hide what follows', () => {
    const line = reason({ repository_id: 1, ref: 'x"\n{"decision":"vended"}\u2028\u202e\u0085\u007f\ud800' })
    expect(line).toContain('\\"\\n{\\"decision\\":\\"vended\\"}\\u2028\\u202e\\u0085\\u007f\\ud800')
    expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  })

  test('stays short whatever is requested or claimed', () => {
    const long = '\u0000'.repeat(5000)
    const line = reason({ repository_id: long, ref: long, a: [long, long] }, { database: long, user: long })
    expect(line.length).toBeLessThanOrEqual(300)
    expect(line).toMatch(/^nearest grant orders-deploy: database is "\\u0000/)
    expect(reason({ repository_id: 1, ref: 'é'.repeat(2000) })).toMatch(
      /claim ref is "é{97}…", wanted refs\/heads\/main or refs\/tags\/v\*$/,
    )
  })

  test('says if a claim is too long to be looked at as a whole', () => {
    expect(reason({ repository_id: 1, ref: `refs/tags/v${'1'.repeat(5000)}` })).toMatch(
      /claim ref is "refs\/tags\/v1+…" \(5011 characters: wildcards match 2048 at most\), wanted /,
    )
    const list = [...Array(300).fill('x'), 'refs/heads/main']
    expect(reason({ repository_id: 1, ref: list })).toMatch(
      /claim ref is \["x", .*… \(301 elements: the first 256 are looked at\), wanted /,
    )
  })

  test('takes no longer for a database that exists than for one that does not', () => {
    const grants = compileGrants(
      Array.from({ length: 300 }, (_, i) => grant(`g${i}`, { a: '1', b: '2' }, { database: `db${i % 3}` })),
    )
    const readsFor = (database: string) => {
      const { claims, reads } = countingClaims({ a: 'x', b: 'y' })
      nearestReason(grants, { principal: github(claims), request: { database, user: 'migrator' } })
      return reads()
    }
    expect(readsFor('db0')).toBe(400)
    expect(readsFor('no-such-database')).toBe(400)
  })

  test('looks at no more than 200 grants', () => {
    const many = Array.from({ length: 200 }, (_, i) => grant(`g${i}`, { a: '1', b: '2' }))
    const nearest = grant('beyond', { a: '1' })
    expect(nearestReason(compileGrants([...many, nearest]), { principal: github({}), request })).toContain(
      'nearest grant g0:',
    )
    expect(
      nearestReason(compileGrants([...many.slice(1), nearest]), { principal: github({}), request }),
    ).toContain('grant beyond:')
  })
})
