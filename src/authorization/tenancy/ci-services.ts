import { type SharedOidcProvider, WHOLE } from './shared-oidc-provider.ts'

const REPOSITORY_OF_JOB = 'it names the code that a job works on, which may be public code of somebody else'

/** Shared providers that run builds, tests and deployments of code that lies elsewhere. */
export const CI_SERVICES: readonly SharedOidcProvider[] = [
  {
    // https://buildkite.com/docs/agent/v3/cli-oidc; a job has the ids in its JWT only if it asks for them
    name: 'Buildkite',
    issuers: ['https://agent.buildkite.com'],
    ownerIds: { organization_id: WHOLE, pipeline_id: WHOLE, cluster_id: WHOLE, queue_id: WHOLE },
    ownerNames: { organization_slug: WHOLE, sub: ['organization:OWNER:'] },
    misleadingClaims: {
      pipeline_slug: 'other organizations may have a pipeline of this name',
      build_branch: 'everybody may have a branch of this name',
    },
    example: 'organization_slug: my-organization',
  },
  {
    // https://circleci.com/docs/openid-connect-tokens/; most of its JWTs come from …/org/ORG_ID, which names the owner
    name: 'CircleCI',
    issuers: ['https://oidc.circleci.com'],
    ownerIds: {
      'oidc.circleci.com/org-id': WHOLE,
      'oidc.circleci.com/project-id': WHOLE,
      sub: ['org/OWNER/'],
    },
    misleadingClaims: {
      'oidc.circleci.com/vcs-origin': REPOSITORY_OF_JOB,
      'oidc.circleci.com/vcs-ref': 'everybody may have a branch of this name',
    },
    example: 'oidc.circleci.com/project-id: 0a1b…',
  },
  {
    // https://codefresh.io/docs/docs/integrations/oidc-pipelines/
    name: 'Codefresh',
    issuers: ['https://oidc.codefresh.io'],
    ownerIds: { account_id: WHOLE, pipeline_id: WHOLE, sub: ['account:OWNER:'] },
    ownerNames: { account_name: WHOLE },
    misleadingClaims: {
      pipeline_name: 'other accounts may have a pipeline of this name',
      scm_repo_url: REPOSITORY_OF_JOB,
    },
    example: 'account_id: 64f…',
  },
  {
    // https://docs.bitrise.io/en/bitrise-platform/integrations/oidc-authentication/oidc-for-aws.html
    name: 'Bitrise',
    issuers: ['https://token.builds.bitrise.io'],
    ownerIds: {},
    misleadingClaims: {
      repository_owner: REPOSITORY_OF_JOB,
      repository_slug: REPOSITORY_OF_JOB,
      repository_url: REPOSITORY_OF_JOB,
    },
    example: '',
  },
  {
    // https://buddy.works/docs/pipelines/oidc; an id is unique within its region, and each region is an issuer
    name: 'Buddy',
    issuers: ['oidc', 'eu-oidc', 'asia-oidc'].map(host => `https://${host}.buddyusercontent.com`),
    ownerIds: { pipeline_id: WHOLE },
    ownerNames: { workspace_domain: WHOLE },
    misleadingClaims: { project_name: 'other workspaces may have a project of this name' },
    example: 'pipeline_id: 123456',
  },
  {
    // https://depot.dev/docs
    name: 'Depot',
    issuers: ['https://identity.depot.dev'],
    ownerIds: { org_id: WHOLE, repository_id: WHOLE, repository_owner_id: WHOLE },
    example: 'org_id: 0a1b…',
  },
  {
    // https://namespace.so/docs/federation/aws
    name: 'Namespace',
    issuers: ['https://federation.namespaceapis.com'],
    ownerIds: { tenant_id: WHOLE },
    example: 'tenant_id: tenant_…',
  },
  {
    // https://edu.chainguard.dev/chainguard/administration/iam-organizations/identities/
    name: 'Chainguard',
    issuers: ['https://issuer.enforce.dev'],
    ownerIds: { sub: WHOLE },
    example: 'sub: 0a1b…/2c3d…',
  },
  {
    // https://docs.activestate.com/platform; PyPI takes the same claims
    name: 'ActiveState',
    issuers: ['https://platform.activestate.com/api/v1/oauth/oidc'],
    ownerIds: { organization_id: WHOLE, project_id: WHOLE },
    ownerNames: { organization: WHOLE, sub: ['org:OWNER:'] },
    misleadingClaims: { project: 'other organizations may have a project of this name' },
    example: 'organization_id: 0a1b…',
  },
  {
    // https://shisho.dev/docs/g/getting-started/integrate-apps/aws/
    name: 'Shisho Cloud',
    issuers: ['https://tokens.cloud.shisho.dev'],
    ownerIds: {},
    ownerNames: { sub: WHOLE },
    example: 'sub: "job:my-organization:…"',
  },
]
