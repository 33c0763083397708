import { describe, expect, test } from 'vitest'
import type { PrincipalSpec } from '../../src/authorization/grant.ts'
import { findScopeProblem } from '../../src/authorization/grant-scope.ts'
import { SHARED_OIDC_PROVIDERS } from '../../src/authorization/shared-oidc-providers.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GITLAB = 'https://gitlab.com'
const PRIVATE = 'https://oidc.example.com'

type Conditions = Omit<PrincipalSpec, 'issuer'>

const problem = (issuerUrl: string | undefined, conditions: Conditions) =>
  findScopeProblem(
    {
      name: 'g',
      principal: { issuer: issuerUrl === undefined ? 'apiKey' : 'it', ...conditions },
      database: 'orders',
      users: ['app'],
    },
    issuerUrl,
  )

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
    ['https://accounts.google.com', { claims: { email: 'job@p.iam.gserviceaccount.com' } }],
    ['https://accounts.google.com', { claims: { google: { compute_engine: { project_id: 'p' } } } }],
    ['https://agent.buildkite.com', { subject: 'organization:acme:pipeline:app:**' }],
    ['https://app.terraform.io', { subject: 'organization:acme:project:p:workspace:w:run_phase:*' }],
    ['https://oidc.vercel.com', { subject: 'owner:acme:project:p:environment:production' }],
    ['https://api.pulumi.com/oidc', { subject: 'pulumi:deploy:org:acme:**' }],
    ['https://oauth2.sigstore.dev/auth', { claims: { email: 'somebody@example.com' } }],
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
    ['a domain by wildcard', 'https://accounts.google.com', { claims: { email: '*@example.com' } }],
    [
      'a look-alike organization',
      'https://agent.buildkite.com',
      { subject: 'organization:acme*:pipeline:**' },
    ],
    ['the tenant of everybody', `https://login.microsoftonline.com/consumers/v2.0`, { claims: { tid: 'x' } }],
  ])('reports %s, which does not pin: %s %j', (_flaw, issuer, conditions) => {
    expect(problem(issuer, conditions)).toMatch(
      /the whole world can get a JWT from .*pin its owner without a wildcard/,
    )
  })

  test('says what to write, and why the conditions do not pin', () => {
    const called = problem(GITHUB, { claims: { job_workflow_ref: 'acme/flows/x.yml@main' } })
    expect(called).toContain('repository_id, repository_owner_id, repository (OWNER/…)')
    expect(called).toContain('`repository_id: 123456`')
    expect(called).toContain('job_workflow_ref does not pin: it names the called workflow')
    expect(problem(GITHUB, { subject: 'repo:*/x' })).toContain('sub does not spell out its owner')
  })

  test('knows the provider with any slashes at its end and its host in any case', () => {
    for (const url of [`${GITHUB}/`, 'HTTPS://Token.Actions.GitHubUserContent.com', `${GITHUB}:443//`])
      expect(problem(url, { anyone: true }), url).toMatch(/GitHub Actions/)
    expect(problem('https://oauth2.sigstore.dev/auth/', { anyone: true })).toMatch(/Sigstore/)
    expect(problem('accounts.google.com', { anyone: true })).toMatch(/Google/)
  })

  test('takes an issuer that names its customer, or is on another host, for a private one', () => {
    for (const url of [`${GITHUB}/acme`, 'https://oidc.vercel.com/acme', 'https://gitlab.example.com'])
      expect(problem(url, { claims: { ref: 'main' } }), url).toBeUndefined()
  })

  test.each(SHARED_OIDC_PROVIDERS.map(provider => [provider.name, provider] as const))(
    'accepts the example of %s, and shows it if it is missing',
    (_name, provider) => {
      const [claim = '', value] = provider.example.split(': ')
      for (const issuer of provider.issuers) {
        expect(problem(issuer, { claims: { [claim]: value?.replaceAll('"', '') ?? '' } })).toBeUndefined()
        expect(problem(issuer, { claims: { [claim]: '**' } })).toContain(provider.example)
      }
    },
  )
})
