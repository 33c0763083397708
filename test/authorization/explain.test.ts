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
const NOW = Date.parse('2026-11-23T10:00:00Z')

describe('explain', () => {
  test('says of each condition what was wanted and what was found', () => {
    expect(explain(compileGrants([deploy]), { principal: dev, request, now: NOW })).toEqual([
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
      explain(grants, { principal: github({}), request: requested, now: NOW }).map(
        explanation => explanation.grant,
      )
    expect(names(request)).toEqual(['it', 'one-off', 'one-off-too', 'elsewhere', 'two-off', 'foreign'])
    expect(names({})).toEqual(['elsewhere', 'it', 'one-off', 'one-off-too', 'two-off', 'foreign'])
    for (const max of [0, 1, 3, 5, 6, 7]) {
      const nearest = explain(grants, { principal: github({}), request, now: NOW }, max)
      expect(nearest.map(explanation => explanation.grant)).toEqual(names(request).slice(0, max))
    }
  })

  test('has no condition for what the request leaves out', () => {
    const [only] = explain(compileGrants([deploy]), { principal: dev, request: {}, now: NOW })
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
    const missed = explain(grants, { principal: github({}), request: {}, now: NOW })[0]?.conditions.filter(
      condition => !condition.holds,
    )
    expect(missed).toEqual([
      { name: 'claim kubernetes.io.namespace', wanted: ['web'], found: undefined, holds: false },
      { name: 'claim kubernetes.io.pod.name', wanted: ['x'], found: undefined, holds: false },
    ])
  })
})

describe('of a grant with times', () => {
  const timed = { ...deploy, notBefore: '2026-11-23T11:00:00+01:00', notAfter: '2026-11-23T10:00:00.500Z' }
  const grants = compileGrants([timed])
  const main = github({ repository_id: '1', ref: 'refs/heads/main' })
  const missesAt = (now: number) =>
    explain(grants, { principal: main, request, now })[0]?.conditions.filter(({ holds }) => !holds)
  const reasonAt = (now: number, principal = main) => nearestReason(grants, { principal, request, now })

  test('both moments belong to it, and explain says in UTC what misses', () => {
    expect([missesAt(NOW), missesAt(NOW + 500)]).toEqual([[], []])
    expect(missesAt(NOW - 1)).toEqual([
      {
        name: 'notBefore',
        wanted: ['2026-11-23T10:00:00Z'],
        found: '"2026-11-23T09:59:59.999Z"',
        holds: false,
      },
    ])
    expect(missesAt(NOW + 501)).toEqual([
      {
        name: 'notAfter',
        wanted: ['2026-11-23T10:00:00.500Z'],
        found: '"2026-11-23T10:00:00.501Z"',
        holds: false,
      },
    ])
  })

  test('the reason says when it begins or ended, before what else misses', () => {
    expect(reasonAt(NOW - 1)).toBe('nearest grant orders-deploy: begins at 2026-11-23T10:00:00Z')
    expect(reasonAt(NOW + 501)).toBe('nearest grant orders-deploy: ended at 2026-11-23T10:00:00.500Z')
    expect(reasonAt(NOW + 501, dev)).toBe(
      'nearest grant orders-deploy: ended at 2026-11-23T10:00:00.500Z; claim ref is "refs/heads/dev", wanted refs/heads/main or refs/tags/v*',
    )
  })

  test('one that only misses its time is nearer than one that misses two claims', () => {
    const other = grant('other', { repository_id: 2, ref: 'x' })
    expect(nearestReason(compileGrants([other, timed]), { principal: main, request, now: NOW - 1 })).toBe(
      'nearest grant orders-deploy: begins at 2026-11-23T10:00:00Z',
    )
  })
})

describe('nearestReason', () => {
  const reason = (claims: Record<string, Claim>, requested = request) =>
    nearestReason(compileGrants([grant('far', { repository_id: 9, ref: 'x', a: 'b' }), deploy]), {
      principal: github(claims),
      request: requested,
      now: NOW,
    })

  test('names the nearest grant and the claim that missed', () => {
    expect(nearestReason(compileGrants([deploy]), { principal: dev, request, now: NOW })).toBe(
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
    expect(nearestReason(grants, { principal: github({}), request, now: NOW })).toBe(
      'nearest grant hard: claim a is missing, wanted 1; claim b is missing, wanted 2',
    )
  })

  test('says if no grant is for the issuer', () => {
    const grants = compileGrants([grant('theirs', {}, { issuer: 'gitlab' })])
    expect(nearestReason(grants, { principal: github({}), request, now: NOW })).toBe(
      'no grant is for issuer github',
    )
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
      nearestReason(grants, { principal: github(claims), request: { database, user: 'migrator' }, now: NOW })
      return reads()
    }
    expect(readsFor('db0')).toBe(400)
    expect(readsFor('no-such-database')).toBe(400)
  })

  test('looks at no more than 200 grants', () => {
    const many = Array.from({ length: 200 }, (_, i) => grant(`g${i}`, { a: '1', b: '2' }))
    const nearest = grant('beyond', { a: '1' })
    expect(
      nearestReason(compileGrants([...many, nearest]), { principal: github({}), request, now: NOW }),
    ).toContain('nearest grant g0:')
    expect(
      nearestReason(compileGrants([...many.slice(1), nearest]), { principal: github({}), request, now: NOW }),
    ).toContain('grant beyond:')
  })
})
