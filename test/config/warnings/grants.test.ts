import { describe, expect, test } from 'vitest'
import type { GrantSpec, PrincipalSpec } from '../../../src/authorization/grant.ts'
import type { IssuerConfig } from '../../../src/config/config.ts'
import { findWarnings } from '../../../src/config/warnings.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'

function warningsOf(
  issuer: Partial<IssuerConfig> & { issuer: string },
  ...grants: Partial<GrantSpec>[]
): string[] {
  const issuers: IssuerConfig[] = [{ name: 'it', audience: 'jeton', ...issuer }]
  const specs = grants.map(
    (grant, position): GrantSpec => ({
      name: `grant-${position}`,
      principal: { issuer: 'it', subject: 'a' },
      database: 'orders',
      users: ['app'],
      ...grant,
    }),
  )
  return findWarnings({ issuers, grants: specs }).map(({ path, message }) => `${path}: ${message}`)
}

const principal = (members: Omit<PrincipalSpec, 'issuer'>) => ({ principal: { issuer: 'it', ...members } })

describe('warnOfGrants, of an owner that is pinned by a name,', () => {
  test.each<[string, Omit<PrincipalSpec, 'issuer'>, string, string]>([
    [
      GITHUB,
      { claims: { repository: 'acme/app' } },
      'repository',
      'repository_id or repository_owner_id or enterprise_id',
    ],
    [
      GITHUB,
      { claims: { repository_owner: 'acme' } },
      'repository_owner',
      'repository_id or repository_owner_id',
    ],
    [GITHUB, { subject: 'repo:acme/app:ref:refs/heads/main' }, 'sub', 'repository_id or repository_owner_id'],
    [
      'https://gitlab.com',
      { claims: { project_path: 'acme/app' } },
      'project_path',
      'project_id or namespace_id',
    ],
    [
      'https://agent.buildkite.com',
      { claims: { organization_slug: 'acme' } },
      'organization_slug',
      'organization_id or pipeline_id',
    ],
    [
      'https://app.terraform.io',
      { claims: { terraform_organization_name: 'acme' } },
      'terraform_organization_name',
      'terraform_organization_id',
    ],
  ])('at %s: %j', (issuer, members, name, ids) => {
    const [warning, ...more] = warningsOf({ issuer }, principal(members))
    expect(more).toEqual([])
    expect(warning).toContain(
      `grants[0].principal: pins the owner by name alone (${name}), and whoever takes a name`,
    )
    expect(warning).toContain(`: ${ids}`)
    // only GitHub's `sub` has come to have ids
    expect(warning?.includes('since 15 July 2026')).toBe(issuer === GITHUB && name === 'sub')
  })

  test.each<[string, Omit<PrincipalSpec, 'issuer'>]>([
    [GITHUB, { claims: { repository: 'acme/app', repository_id: 123 } }],
    [GITHUB, { claims: { repository_owner_id: 123 } }],
    [GITHUB, { subject: 'repo:acme@12/app@34:ref:refs/heads/main' }],
    [GITHUB, { subject: 'repository_owner_id:12:ref:refs/heads/main' }],
    // there is no id
    ['https://codeberg.org/api/actions', { claims: { repository: 'acme/app' } }],
  ])('says nothing at %s of %j', (issuer, members) => {
    expect(warningsOf({ issuer }, principal(members))).toEqual([])
  })

  test('says so of an issuer that names its tenant by a name', () => {
    const issuer = `${GITHUB}/my-enterprise`
    expect(warningsOf({ issuer }, principal({ claims: { ref: 'refs/heads/main' } }))).toEqual([
      'grants[0].principal: the issuer names its tenant by a name, and whoever takes that name once it is free gets tokens: add the claim enterprise_id, which is in JWTs of GitHub Actions of an enterprise',
    ])
    expect(warningsOf({ issuer }, principal({ claims: { enterprise_id: 12 } }))).toEqual([])
    expect(
      warningsOf({ issuer, jwks: { keys: [] } }, principal({ claims: { ref: 'refs/heads/main' } })),
    ).toEqual([])
  })
})

describe('warnOfGrants, of a grant that is never reached,', () => {
  const own = { issuer: 'https://idp.example', tenancy: 'private' } as const
  const never = /^grants\[1\]: is never reached: grants\[0\] \(grant-0\) comes first/

  test.each<[Partial<GrantSpec>, Partial<GrantSpec>]>([
    [{}, {}],
    [principal({ subject: 'a' }), principal({ subject: 'a', claims: { team: 'b' } })],
    [principal({ subject: 'a*' }), principal({ subject: ['ab', 'ac'] })],
    [principal({ subject: ['a', 'b'] }), principal({ subject: 'b' })],
    [principal({ anyone: true }), principal({ subject: 'b' })],
    [{ users: ['app', 'other'] }, { users: ['other'] }],
    [principal({ claims: { a: { b: 'x' } } }), principal({ claims: { a: { b: 'x', c: 'y' } } })],
    [{}, { session: 'per-principal' }],
  ])('warns: %j, then %j', (first, second) => {
    expect(warningsOf(own, first, second)).toEqual([expect.stringMatching(never)])
  })

  test.each<[Partial<GrantSpec>, Partial<GrantSpec>]>([
    [{ database: 'other' }, {}],
    [{ users: ['other'] }, { users: ['other', 'app'] }],
    [principal({ subject: 'a', claims: { team: 'b' } }), principal({ subject: 'a' })],
    [principal({ subject: 'a*' }), principal({ subject: 'a/b' })],
    [principal({ subject: 'ab*' }), principal({ subject: 'a*' })],
    [principal({ subject: 'a' }), principal({ claims: { team: 'a' } })],
    [{ principal: { issuer: 'other', subject: 'a' } }, {}],
  ])('says nothing: %j, then %j', (first, second) => {
    expect(warningsOf(own, first, second)).toEqual([])
  })
})

test('warnOfGrants warns of another audience than that of the issuer', () => {
  const own = { issuer: 'https://idp.example', tenancy: 'private' } as const
  expect(warningsOf(own, principal({ subject: 'a', claims: { aud: 'other' } }))).toEqual([
    'grants[0].principal.claims.aud: is another than the audience of the issuer, jeton: only a JWT for both meets this grant',
  ])
  expect(warningsOf(own, principal({ subject: 'a', claims: { aud: ['other', 'jeton'] } }))).toEqual([])
})
