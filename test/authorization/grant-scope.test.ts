import { describe, expect, test } from 'vitest'
import { API_KEY_ISSUER } from '../../src/authentication/api-key.ts'
import { findScopeDoubt, findScopeProblem } from '../../src/authorization/grant-scope.ts'
import { type Conditions, grantWith, tenancyOf } from './tenancy/support.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GITLAB = 'https://gitlab.com'
const GOOGLE = 'https://accounts.google.com'
const SIGSTORE = 'https://oauth2.sigstore.dev/auth'
const PRIVATE = 'http://127.0.0.1:8080'

const problem = (issuerUrl: string | undefined, conditions: Conditions) => {
  const grant = grantWith(conditions)
  if (issuerUrl !== undefined) return findScopeProblem(grant, tenancyOf(issuerUrl))
  return findScopeProblem({ ...grant, principal: { issuer: API_KEY_ISSUER, ...conditions } }, undefined)
}

describe('findScopeProblem', () => {
  test.each<[string, Conditions]>([
    ['nothing', {}],
    ['no claims', { claims: {} }],
    ['an empty object', { claims: { a: {} } }],
    ['anyone: false', { anyone: false }],
    ['* as the subject', { subject: '*' }],
    ['** as a claim', { claims: { ref: '**' } }],
    ['wildcards in an alternative', { claims: { ref: ['main', '**'] } }],
    ['wildcards nested', { claims: { a: { b: '*' } } }],
  ])('reports a grant that names %s', (_what, conditions) => {
    expect(problem(PRIVATE, conditions)).toMatch(/names nobody.*`subject`.*claim.*`anyone: true`/)
    if (!conditions.claims) expect(problem(undefined, conditions)).toMatch(/names nobody/)
  })

  test.each<[string, Conditions]>([
    ['a subject', { subject: 'system:serviceaccount:web:*' }],
    ['a claim', { claims: { ref: 'main' } }],
    ['a claim beside an open one', { claims: { ref: '**', team: 'ops' } }],
    ['a nested claim', { claims: { 'kubernetes.io': { namespace: 'web' } } }],
    ['anyone', { anyone: true }],
  ])('accepts, for a private issuer, %s', (_what, conditions) => {
    expect(problem(PRIVATE, conditions)).toBeUndefined()
  })

  test('accepts API keys by their name, and no claims of theirs', () => {
    expect(problem(undefined, { subject: 'nightly-report' })).toBeUndefined()
    expect(problem(undefined, { anyone: true })).toBeUndefined()
    expect(problem(undefined, { subject: 'x', claims: { a: 'b' } })).toMatch(/carries no claims.*`subject`/)
  })

  test('reports anyone beside a subject or claims', () => {
    for (const issuer of [PRIVATE, GITHUB]) {
      expect(problem(issuer, { anyone: true, subject: 'x' })).toMatch(/contradicts/)
      expect(problem(issuer, { anyone: true, claims: { repository_id: 1 } })).toMatch(/contradicts/)
    }
  })

  test('reports conditions that can never hold', () => {
    expect(problem(PRIVATE, { subject: [] })).toMatch(/sub lists nothing/)
    expect(problem(GITHUB, { claims: { repository_id: [] } })).toMatch(/repository_id lists nothing/)
    expect(problem(GITHUB, { claims: { repository_id: 2 ** 53 } })).toMatch(/repository_id.*in quotes/)
    expect(problem(GITHUB, { claims: { repository_id: `${2 ** 53}` } })).toBeUndefined()
  })
})

describe('findScopeProblem, for a provider that anyone can get a JWT from,', () => {
  test.each<[string, Conditions]>([
    [GITHUB, { claims: { repository_id: 123456 } }],
    [GITHUB, { claims: { repository_owner_id: ['1', '2'] } }],
    [GITHUB, { claims: { repository: 'acme/app' } }],
    [GITHUB, { claims: { repository: 'acme/*' } }],
    [GITHUB, { claims: { repository_owner: 'acme', job_workflow_ref: 'acme/flows/**' } }],
    [GITHUB, { claims: { enterprise: 'acme' } }],
    [GITHUB, { subject: 'repo:acme/app:ref:refs/heads/main' }],
    [GITHUB, { subject: 'repo:acme/**' }],
    [GITHUB, { subject: 'repo:acme@123/app@456:ref:refs/heads/*' }],
    [GITHUB, { subject: ['repo:acme/a:**', 'repo:acme@123/**'] }],
    [GITHUB, { claims: { sub: 'repository_owner_id:1:**' } }],
    [GITLAB, { claims: { project_path: 'acme/**' } }],
    [GITLAB, { claims: { namespace_path: 'acme' } }],
    [GITLAB, { subject: 'project_path:acme/app:ref_type:branch:ref:*' }],
    [GOOGLE, { subject: '112233445566778899000' }],
    [GOOGLE, { claims: { email: 'job@p.iam.gserviceaccount.com', email_verified: true } }],
    [GOOGLE, { claims: { hd: 'example.com', email_verified: ['true', true] } }],
    [GOOGLE, { claims: { google: { compute_engine: { project_id: 'p' } } } }],
    ['https://agent.buildkite.com', { subject: 'organization:acme:pipeline:app:**' }],
    ['https://app.terraform.io', { subject: 'organization:acme:project:p:workspace:w:run_phase:*' }],
    ['https://oidc.vercel.com', { subject: 'owner:acme:project:p:environment:production' }],
    ['https://api.pulumi.com/oidc', { subject: 'pulumi:deploy:org:acme:**' }],
    [
      SIGSTORE,
      {
        claims: {
          email: 'somebody@example.com',
          email_verified: true,
          federated_claims: { connector_id: 'https://accounts.google.com' },
        },
      },
    ],
  ])('accepts an owner that is spelled out: %s %j', (issuer, conditions) => {
    expect(problem(issuer, conditions)).toBeUndefined()
  })

  test.each<[string, string, Conditions]>([
    ['anyone', GITHUB, { anyone: true }],
    ['nothing', GITHUB, {}],
    ['a branch that everybody has', GITHUB, { claims: { ref: 'refs/heads/main' } }],
    ['an environment that anyone may name', GITHUB, { claims: { environment: 'production' } }],
    [
      'a called workflow',
      GITHUB,
      { claims: { job_workflow_ref: 'acme/flows/.github/workflows/x.yml@main' } },
    ],
    ['who started the run', GITHUB, { claims: { actor_id: 1 } }],
    ['an owner with look-alikes', GITHUB, { claims: { repository_owner: 'acme*' } }],
    ['a repository with look-alike owners', GITHUB, { claims: { repository: 'acme*/app' } }],
    ['a repository of any owner', GITHUB, { claims: { repository: '*/app' } }],
    ['an empty owner', GITHUB, { claims: { repository: '/*' } }],
    ['an owner without its slash', GITHUB, { claims: { repository: 'acme**' } }],
    ['an id with a wildcard', GITHUB, { claims: { repository_id: '123*' } }],
    ['one open alternative', GITHUB, { claims: { repository: ['acme/app', '**/app'] } }],
    ['a subject of any owner', GITHUB, { subject: 'repo:*/app:ref:refs/heads/main' }],
    ['a subject with look-alike owners', GITHUB, { subject: 'repo:acme*/**' }],
    ['a subject with any owner id', GITHUB, { subject: 'repo:acme@*/app@*:**' }],
    ['a subject without its slash', GITHUB, { subject: 'repo:acme**' }],
    ['a subject that begins anyhow', GITHUB, { subject: '**:repository_owner_id:1' }],
    ['a subject by a chosen claim', GITHUB, { subject: 'environment:production' }],
    ['a subject by the called workflow', GITHUB, { subject: 'job_workflow_ref:acme/flows/**' }],
    ['a subject id with look-alikes', GITHUB, { subject: 'repository_owner_id:1*' }],
    ['one open subject of several', GITHUB, { subject: ['repo:acme/app:**', 'repo:*/app:**'] }],
    ['a pin in the wrong place', GITHUB, { claims: { nested: { repository_id: 1 } } }],
    ['a name that objects inherit', GITHUB, { claims: { constructor: 'x', toString: 'y' } }],
    ['a branch that everybody has', GITLAB, { claims: { ref: 'main', ref_protected: 'true' } }],
    ['a look-alike group', GITLAB, { subject: 'project_path:acme*/app:**' }],
    ['a domain by wildcard', GOOGLE, { claims: { email: '*@example.com', email_verified: true } }],
    ['an address that may be unverified', GOOGLE, { claims: { email: 'me@example.com' } }],
    ['a domain that may be unverified', GOOGLE, { claims: { hd: 'example.com' } }],
    ['an address that is unverified', GOOGLE, { claims: { email: 'me@example.com', email_verified: false } }],
    [
      'an address that is unverified in one alternative',
      GOOGLE,
      { claims: { email: 'me@example.com', email_verified: [true, false] } },
    ],
    [
      'an address that any service may vouch for',
      SIGSTORE,
      { claims: { email: 'me@example.com', email_verified: true } },
    ],
    [
      'a look-alike organization',
      'https://agent.buildkite.com',
      { subject: 'organization:acme*:pipeline:**' },
    ],
    [
      'the tenant of everybody',
      'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
      { claims: { tid: '9188040d-6c67-4c5b-b112-36a304b66dad' } },
    ],
  ])('reports %s, which does not pin: %s %j', (_flaw, issuer, conditions) => {
    expect(problem(issuer, conditions)).toMatch(
      /the whole world can get a JWT from .*pin its owner without a wildcard/,
    )
  })

  test('says what to write, and why the conditions do not pin', () => {
    const called = problem(GITHUB, { claims: { job_workflow_ref: 'acme/flows/x.yml@main' } })
    expect(called).toContain(
      'repository_id, repository_owner_id, enterprise_id, sub (repo:OWNER/…), repository (OWNER/…)',
    )
    expect(called).toContain('`repository_id: 123456`')
    expect(called).toContain('job_workflow_ref does not pin: it names the called workflow')
    expect(problem(GITHUB, { subject: 'repo:*/x' })).toContain('sub does not spell out its owner')
  })

  test('says what a claim needs beside it', () => {
    const claims = { email: 'me@example.com' }
    expect(problem(GOOGLE, { claims })).toContain('; email pins only beside email_verified: true')
    expect(problem(GOOGLE, { anyone: true })).toContain('email (beside email_verified: true)')
    expect(problem(SIGSTORE, { claims })).toContain(
      'email_verified: true and a federated_claims.connector_id that is spelled out',
    )
  })
})

describe('findScopeDoubt', () => {
  const doubt = (issuerUrl: string, conditions: Conditions) =>
    findScopeDoubt(grantWith(conditions), tenancyOf(issuerUrl))

  test.each<[string, string, Conditions]>([
    ['email', GOOGLE, { claims: { email: 'me@example.com', email_verified: true } }],
    ['hd', GOOGLE, { claims: { hd: 'example.com', email_verified: true, ref: 'x' } }],
  ])('reports %s of %s, which may change hands', (claim, issuer, conditions) => {
    expect(doubt(issuer, conditions)).toMatch(
      new RegExp(`^only ${claim} pins the owner: .*: sub or .* would pin for good$`),
    )
  })

  test('reports a name of a person, where the configuration says that it pins', () => {
    const grant = grantWith({ claims: { preferred_username: 'me' } })
    const people = (owner: string[]) => tenancyOf('https://idp.example.com', { tenancy: 'shared', owner })
    expect(findScopeDoubt(grant, people(['preferred_username', 'sub']))).toMatch(
      /^only preferred_username pins the owner: it is a name that can change hands.*: sub would pin for good$/,
    )
    expect(
      findScopeDoubt(grantWith({ subject: 'u1' }), people(['preferred_username', 'sub'])),
    ).toBeUndefined()
  })

  test.each<[string, Conditions]>([
    [GOOGLE, { subject: '1122', claims: { email: 'me@example.com', email_verified: true } }],
    [GOOGLE, { subject: '1122' }],
    [GOOGLE, { claims: { email: 'me@example.com' } }],
    [GITHUB, { claims: { repository: 'acme/app' } }],
    [PRIVATE, { claims: { email: 'me@example.com' } }],
  ])('reports nothing else: %s %j', (issuer, conditions) => {
    expect(doubt(issuer, conditions)).toBeUndefined()
  })
})
