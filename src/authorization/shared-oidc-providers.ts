/** A provider that anyone can get a JWT from: its signature alone does not tell one customer from another. */
export interface SharedOidcProvider {
  readonly name: string
  /** The URLs in its `iss`. One that already names a customer (`https://oidc.vercel.com/TEAM`) does not belong here. */
  readonly issuers: readonly string[]
  /**
   * The claims that customers cannot choose freely, nested ones as `a.b`, each with the shapes that a pattern may have: it
   * must be spelled out up to and including the text after `OWNER`, or as a whole if `OWNER` is at the end.
   */
  readonly ownerClaims: { readonly [claim: string]: readonly string[] }
  /** What to write, as YAML. */
  readonly example: string
  /** Claims that seem to pin an owner, and why they do not. */
  readonly misleadingClaims?: { readonly [claim: string]: string }
}

const WHOLE = ['OWNER']

/** Entra ID's tenant of all personal accounts: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference */
const PERSONAL_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** IAM demands the same of trust policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html */
export const SHARED_OIDC_PROVIDERS: readonly SharedOidcProvider[] = [
  {
    // https://docs.github.com/actions/reference/security/oidc
    name: 'GitHub Actions',
    issuers: ['https://token.actions.githubusercontent.com'],
    ownerClaims: {
      repository_id: WHOLE,
      repository_owner_id: WHOLE,
      repository: ['OWNER/'],
      repository_owner: WHOLE,
      enterprise: WHOLE,
      enterprise_id: WHOLE,
      sub: [
        'repo:OWNER/',
        'repository:OWNER/',
        'repository_owner:OWNER:',
        'repository_owner_id:OWNER:',
        'repository_id:OWNER:',
      ],
    },
    example: 'repository_id: 123456',
    misleadingClaims: {
      job_workflow_ref: 'it names the called workflow, and anyone may call a public one',
      actor: 'it names who started the run, which may be in a repository of somebody else',
      actor_id: 'it names who started the run, which may be in a repository of somebody else',
      environment: 'anyone may give an environment this name',
    },
  },
  {
    // https://docs.gitlab.com/ci/secrets/id_token_authentication
    name: 'GitLab.com',
    issuers: ['https://gitlab.com'],
    ownerClaims: {
      project_id: WHOLE,
      namespace_id: WHOLE,
      project_path: ['OWNER/'],
      namespace_path: ['OWNER/'],
      sub: ['project_path:OWNER/'],
    },
    example: 'project_id: 123456',
    misleadingClaims: {
      ci_config_ref_uri: 'it names the file that defines the pipeline, and anyone may include a public one',
      user_login: 'it names who started the pipeline, which may be in a project of somebody else',
      user_id: 'it names who started the pipeline, which may be in a project of somebody else',
    },
  },
  {
    // https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
    name: 'Google',
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
    ownerClaims: {
      sub: WHOLE,
      email: WHOLE,
      hd: WHOLE,
      'google.compute_engine.project_id': WHOLE,
      'google.compute_engine.project_number': WHOLE,
    },
    example: 'email: job@my-project.iam.gserviceaccount.com',
  },
  {
    // https://buildkite.com/docs/agent/v3/cli-oidc
    name: 'Buildkite',
    issuers: ['https://agent.buildkite.com'],
    ownerClaims: {
      organization_id: WHOLE,
      organization_slug: WHOLE,
      pipeline_id: WHOLE,
      sub: ['organization:OWNER:'],
    },
    example: 'organization_slug: my-organization',
  },
  {
    // https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
    name: 'HCP Terraform',
    issuers: ['https://app.terraform.io', 'https://app.eu.terraform.io'],
    ownerClaims: {
      terraform_organization_id: WHOLE,
      terraform_organization_name: WHOLE,
      terraform_workspace_id: WHOLE,
      sub: ['organization:OWNER:'],
    },
    example: 'terraform_organization_id: org-…',
  },
  {
    // https://vercel.com/docs/oidc/reference, issuer mode "global"
    name: 'Vercel',
    issuers: ['https://oidc.vercel.com'],
    ownerClaims: { owner_id: WHOLE, owner: WHOLE, project_id: WHOLE, sub: ['owner:OWNER:'] },
    example: 'owner_id: team_…',
  },
  {
    // https://www.pulumi.com/docs/pulumi-cloud/oidc/provider/
    name: 'Pulumi Cloud',
    issuers: ['https://api.pulumi.com/oidc', 'https://api.pulumi.com/oidc/v2'],
    ownerClaims: {
      org: WHOLE,
      'https://pulumi.com/org': WHOLE,
      'https://pulumi.com/org_id': WHOLE,
      sub: ['pulumi:deploy:org:OWNER:', 'pulumi:environments:org:OWNER:'],
    },
    example: 'sub: "pulumi:deploy:org:my-organization:**"',
  },
  {
    // https://codefresh.io/docs/docs/integrations/oidc-pipelines/
    name: 'Codefresh',
    issuers: ['https://oidc.codefresh.io'],
    ownerClaims: { account_id: WHOLE, account_name: WHOLE, pipeline_id: WHOLE, sub: ['account:OWNER:'] },
    example: 'account_id: 64f…',
  },
  {
    // https://circleci.com/docs/openid-connect-tokens/; most of its JWTs come from …/org/ORG_ID, which names the owner
    name: 'CircleCI',
    issuers: ['https://oidc.circleci.com'],
    ownerClaims: { 'oidc.circleci.com/project-id': WHOLE, sub: ['org/OWNER/'] },
    example: 'oidc.circleci.com/project-id: 0a1b…',
  },
  {
    // https://docs.sigstore.dev/certificate_authority/oidc-in-fulcio/
    name: 'Sigstore',
    issuers: ['https://oauth2.sigstore.dev/auth'],
    ownerClaims: { email: WHOLE, sub: WHOLE },
    example: 'email: somebody@example.com',
  },
  {
    // https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    name: 'Microsoft (every organization)',
    issuers: ['common', 'organizations'].map(tenant => `https://login.microsoftonline.com/${tenant}/v2.0`),
    ownerClaims: { tid: WHOLE, oid: WHOLE, sub: WHOLE },
    example: 'tid: 00000000-0000-0000-0000-000000000000',
    misleadingClaims: {
      email: 'organizations set it as they like',
      preferred_username: 'it changes and is not unique',
    },
  },
  {
    name: 'Microsoft (personal accounts)',
    issuers: ['consumers', PERSONAL_TENANT].map(tenant => `https://login.microsoftonline.com/${tenant}/v2.0`),
    ownerClaims: { oid: WHOLE, sub: WHOLE },
    example: 'oid: 00000000-0000-0000-0000-000000000000',
    misleadingClaims: { tid: 'all personal accounts are in one tenant', email: 'its owner may change it' },
  },
]
