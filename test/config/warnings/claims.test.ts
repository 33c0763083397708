import { describe, expect, test } from 'vitest'
import type { PrincipalSpec } from '../../../src/authorization/grant.ts'
import { findKnownClaims } from '../../../src/authorization/tenancy/issuer-claims.ts'
import { createReport, type Problem } from '../../../src/config/problems.ts'
import { warnOfClaims } from '../../../src/config/warnings/claims.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GITLAB = 'https://gitlab.com'
const CIRCLECI = 'https://oidc.circleci.com/org/0a1b2c3d-1111-2222-3333-444455556666'
const BUILDKITE = 'https://agent.buildkite.com'
const TERRAFORM = 'https://app.terraform.io'
const EKS = 'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE'
const GOOGLE = 'https://accounts.google.com'
const ENTRA = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0'
const AWS = 'https://11111111-2222-3333-4444-555555555555.tokens.sts.global.api.aws'
const AUTH0 = 'https://acme.us.auth0.com/'
const UUID = '0a1b2c3d-1111-2222-3333-444455556666'

function doubtsOf(issuer: string, principal: Omit<PrincipalSpec, 'issuer'>): string[] {
  const doubts: Problem[] = []
  const known = findKnownClaims(issuer)
  if (known) warnOfClaims({ issuer: 'it', ...principal }, { known, report: createReport(doubts) })
  return doubts.map(({ path, message }) => `${path}: ${message}`)
}

describe('warnOfClaims, of a claim that no JWT has,', () => {
  test.each<[string, PrincipalSpec['claims'], string, string]>([
    [GITHUB, { repositry: 'acme/app' }, 'claims.repositry', 'did you mean repository?'],
    [GITHUB, { repositoryOwner: 'acme' }, 'claims.repositoryOwner', 'did you mean repository_owner?'],
    [`${GITHUB}/my-enterprise`, { Ref: 'refs/heads/main' }, 'claims.Ref', 'did you mean ref?'],
    [
      'https://github.acme.example/_services/token',
      { refs: 'refs/heads/main' },
      'claims.refs',
      'did you mean ref?',
    ],
    [GITLAB, { project_pth: 'acme/app' }, 'claims.project_pth', 'did you mean project_path?'],
    [CIRCLECI, { 'oidc.circleci.com/projectid': UUID }, 'claims.oidc.circleci.com/projectid', 'project-id?'],
    [BUILDKITE, { pipeline: 'deploy' }, 'claims.pipeline', 'did you mean pipeline_'],
    [
      TERRAFORM,
      { terraform_workspace: 'prod' },
      'claims.terraform_workspace',
      'did you mean terraform_workspace_',
    ],
    [EKS, { kubernetes: { io: { namespace: 'a' } } }, 'claims.kubernetes', 'did you mean kubernetes.io?'],
    [
      EKS,
      { 'kubernetes.io': { service_account: { name: 'a' } } },
      'claims.kubernetes.io.service_account',
      'did you mean serviceaccount?',
    ],
    [
      EKS,
      { 'kubernetes.io': { serviceaccount: { nam: 'a' } } },
      'claims.kubernetes.io.serviceaccount.nam',
      'did you mean name?',
    ],
    [
      EKS,
      { 'kubernetes.io.namespace': 'a' },
      'claims.kubernetes.io.namespace',
      'nest it, as in the JWT, below kubernetes.io',
    ],
    [GOOGLE, { email_verifed: true }, 'claims.email_verifed', 'did you mean email_verified?'],
    [
      GOOGLE,
      { google: { compute_engine: { project: 'a' } } },
      'claims.google.compute_engine.project',
      'did you mean project_',
    ],
    [ENTRA, { app_id: UUID }, 'claims.app_id', 'did you mean appid?'],
    [
      AWS,
      { 'https://sts.amazonaws.com/': { aws_acount: '1' } },
      'claims.https://sts.amazonaws.com/.aws_acount',
      'did you mean aws_account?',
    ],
    ['https://api.pulumi.com/oidc', { orgs: 'acme' }, 'claims.orgs', 'did you mean org?'],
  ])('says at %s of %j what is meant', (issuer, claims, path, end) => {
    const doubts = doubtsOf(issuer, { ...(claims && { claims }) })
    expect(doubts).toEqual([expect.stringContaining(end)])
    expect(doubts[0]?.startsWith(`${path}: is in no JWT of `)).toBe(true)
  })

  test('lists those that GitHub has, for a name that is near none', () => {
    expect(doubtsOf(GITHUB, { claims: { branch: 'main' } })).toEqual([
      expect.stringMatching(
        /^claims\.branch: is in no JWT of GitHub Actions that jeton knows of, so this grant is for nobody: its own are actor, .*, ref, .*, repository, .*, workflow_sha$/,
      ),
    ])
  })

  test.each<[string, PrincipalSpec['claims']]>([
    [
      GITHUB,
      {
        repository_id: 1,
        repo_property_tier: 'gold',
        job_workflow_ref: 'a/b/.github/workflows/c.yml@refs/heads/*',
      },
    ],
    [GITLAB, { email: 'a@example.com', 'https://gitlab.org/claims/groups/owner': 'acme' }],
    [BUILDKITE, { 'agent_tag:queue': 'deploy' }],
    [EKS, { 'kubernetes.io': { namespace: 'a', pod: { name: 'b' }, serviceaccount: { uid: UUID } } }],
    [ENTRA, { 'extn.department': 'sales', roles: 'Deployer' }],
    [AUTH0, { 'https://acme.example/team': 'a' }],
    [AWS, { 'https://sts.amazonaws.com/': { principal_tags: { team: 'a' } } }],
    ['https://idp.example', { repositry: 'acme/app' }],
  ])('says nothing at %s of %j', (issuer, claims) => {
    expect(doubtsOf(issuer, { ...(claims && { claims }) })).toEqual([])
  })
})

describe('warnOfClaims, of a value that a claim never has,', () => {
  test.each<[string, Omit<PrincipalSpec, 'issuer'>, string, string]>([
    [GITHUB, { claims: { ref: 'main' } }, 'claims.ref', 'refs/heads/main'],
    [GITHUB, { claims: { ref: ['refs/heads/main', 'v*'] } }, 'claims.ref[1]', 'refs/heads/main'],
    [
      GITHUB,
      { claims: { repository: 'https://github.com/acme/app' } },
      'claims.repository',
      'my-organization/my-repository',
    ],
    [GITHUB, { claims: { repository: 'app' } }, 'claims.repository', 'my-organization/my-repository'],
    [GITHUB, { claims: { repository_id: 'acme/app' } }, 'claims.repository_id', '123456'],
    [GITHUB, { claims: { repository_owner: 'acme/app' } }, 'claims.repository_owner', 'my-organization'],
    [GITHUB, { claims: { ref_protected: 'yes' } }, 'claims.ref_protected', 'true'],
    [GITHUB, { claims: { runner_environment: 'self_hosted' } }, 'claims.runner_environment', 'github-hosted'],
    [
      GITHUB,
      { claims: { job_workflow_ref: 'deploy.yml' } },
      'claims.job_workflow_ref',
      '.github/workflows/deploy.yml@refs/heads/main',
    ],
    [GITHUB, { subject: 'acme/app' }, 'subject', 'repo:my-organization/my-repository:ref:refs/heads/main'],
    [
      GITHUB,
      { subject: 'repo:acme/app' },
      'subject',
      'repo:my-organization/my-repository:ref:refs/heads/main',
    ],
    [
      GITHUB,
      { subject: ['repo:acme/app:ref:main'] },
      'subject[0]',
      'repo:my-organization/my-repository:ref:refs/heads/main',
    ],
    [GITLAB, { claims: { ref: 'refs/heads/main' } }, 'claims.ref', 'main'],
    [GITLAB, { claims: { project_id: 'acme/app' } }, 'claims.project_id', '123456'],
    [
      CIRCLECI,
      { claims: { 'oidc.circleci.com/project-id': 'my-project' } },
      'claims.oidc.circleci.com/project-id',
      UUID,
    ],
    [
      CIRCLECI,
      { claims: { 'oidc.circleci.com/vcs-ref': 'main' } },
      'claims.oidc.circleci.com/vcs-ref',
      'refs/heads/main',
    ],
    [BUILDKITE, { claims: { organization_id: 'acme' } }, 'claims.organization_id', UUID],
    [TERRAFORM, { claims: { terraform_run_phase: 'deploy' } }, 'claims.terraform_run_phase', 'apply'],
    [EKS, { subject: 'jobs:deployer' }, 'subject', 'system:serviceaccount:my-namespace:my-service-account'],
    [
      EKS,
      { subject: 'system:serviceaccount:jobs' },
      'subject',
      'system:serviceaccount:my-namespace:my-service-account',
    ],
    [GOOGLE, { subject: 'deployer@acme.iam.gserviceaccount.com' }, 'subject', '112233445566778899000'],
    [ENTRA, { claims: { oid: 'my-app' } }, 'claims.oid', UUID],
    [
      AWS,
      { claims: { 'https://sts.amazonaws.com/': { aws_account: '123' } } },
      'claims.https://sts.amazonaws.com/.aws_account',
      '123456789012',
    ],
  ])('says at %s of %j what to write', (issuer, principal, path, example) => {
    const doubts = doubtsOf(issuer, principal)
    expect(doubts).toHaveLength(1)
    expect(doubts[0]).toMatch(
      /: never has this value in JWTs of .*, as far as jeton knows: write one such as /,
    )
    expect(doubts[0]?.startsWith(`${path}: `)).toBe(true)
    expect(doubts[0]).toContain(example)
  })

  test.each<[string, Omit<PrincipalSpec, 'issuer'>]>([
    [GITHUB, { claims: { ref: ['refs/heads/main', 'refs/tags/v*', 'refs/**', '**', 'r*'] } }],
    [GITHUB, { claims: { repository: ['acme/app', 'acme/*'], base_ref: 'main', ref_protected: true } }],
    [
      GITHUB,
      {
        subject: [
          'repo:acme/app:ref:refs/heads/main',
          'repo:acme@1/app@2:environment:prod',
          'repo:acme/app:pull_request',
          'repo:acme/app:**',
          'repository_owner_id:1:ref:refs/heads/main',
        ],
      },
    ],
    [GITLAB, { claims: { ref: 'main', ref_path: 'refs/heads/main', project_path: 'acme/team/app' } }],
    [EKS, { subject: ['system:serviceaccount:jobs:deployer', 'system:serviceaccount:jobs:*', 'system:*'] }],
    [GOOGLE, { subject: '112233445566778899000' }],
    [ENTRA, { claims: { oid: UUID, idtyp: 'app' } }],
  ])('says nothing at %s of %j', (issuer, principal) => {
    expect(doubtsOf(issuer, principal)).toEqual([])
  })
})
