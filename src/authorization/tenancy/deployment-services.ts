import { type SharedOidcProvider, WHOLE } from './shared-oidc-provider.ts'

const CHOSEN_AUDIENCE = 'whoever asks for the JWT chooses it'
const OF_DEPLOYMENT = { claim: 'apiKeyType', value: 'oidc' }

/** Shared providers that run what was built, or manage what runs. */
export const DEPLOYMENT_SERVICES: readonly SharedOidcProvider[] = [
  {
    // https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
    name: 'HCP Terraform',
    issuers: ['https://app.terraform.io', 'https://app.eu.terraform.io'],
    ownerIds: {
      terraform_organization_id: WHOLE,
      terraform_project_id: WHOLE,
      terraform_workspace_id: WHOLE,
    },
    ownerNames: { terraform_organization_name: WHOLE, sub: ['organization:OWNER:'] },
    misleadingClaims: {
      terraform_workspace_name: 'other organizations may have a workspace of this name',
      terraform_project_name: 'other organizations may have a project of this name',
    },
    example: 'terraform_organization_id: org-…',
  },
  {
    // https://vercel.com/docs/oidc/reference, issuer mode "global"
    name: 'Vercel',
    issuers: ['https://oidc.vercel.com'],
    ownerIds: { owner_id: WHOLE, project_id: WHOLE },
    ownerNames: { owner: WHOLE, sub: ['owner:OWNER:'] },
    misleadingClaims: {
      aud: CHOSEN_AUDIENCE,
      project: 'other teams may have a project of this name',
      environment: 'everybody has an environment of this name',
    },
    example: 'owner_id: team_…',
  },
  {
    // https://www.pulumi.com/docs/pulumi-cloud/oidc/provider/
    name: 'Pulumi Cloud',
    issuers: ['https://api.pulumi.com/oidc', 'https://api.pulumi.com/oidc/v2'],
    ownerIds: { 'https://pulumi.com/org_id': WHOLE },
    ownerNames: {
      org: WHOLE,
      'https://pulumi.com/org': WHOLE,
      sub: ['pulumi:deploy:org:OWNER:', 'pulumi:environments:org:OWNER:'],
    },
    misleadingClaims: { aud: CHOSEN_AUDIENCE, stack: 'other organizations may have a stack of this name' },
    example: 'sub: "pulumi:deploy:org:my-organization:**"',
  },
  {
    // https://docs.envzero.com/guides/integrations/oidc-integrations: only JWTs of this type are those of deployments
    name: 'env0',
    issuers: ['https://login.app.env0.com/'],
    ownerIds: { organizationId: WHOLE, projectId: WHOLE, environmentId: WHOLE },
    requirements: {
      organizationId: [OF_DEPLOYMENT],
      projectId: [OF_DEPLOYMENT],
      environmentId: [OF_DEPLOYMENT],
    },
    misleadingClaims: { env0Tag: 'whoever deploys chooses it' },
    example: 'organizationId: 0a1b…',
  },
  {
    // https://docs.scalr.io/docs/aws
    name: 'Scalr',
    issuers: ['https://scalr.io'],
    ownerIds: {},
    ownerNames: { sub: ['account:OWNER:'] },
    example: 'sub: "account:my-account:environment:my-environment:workspace:my-workspace"',
  },
  {
    // https://docs.upbound.io/providers/provider-aws/authentication/
    name: 'Upbound',
    issuers: ['https://proidc.upbound.io'],
    ownerIds: {},
    ownerNames: { sub: ['mcp:OWNER/'] },
    example: 'sub: "mcp:my-organization/my-control-plane:provider:provider-aws"',
  },
  {
    // https://modal.com/docs/guide/oidc-integration
    name: 'Modal',
    issuers: ['https://oidc.modal.com'],
    ownerIds: { workspace_id: WHOLE, environment_id: WHOLE, app_id: WHOLE, function_id: WHOLE },
    ownerNames: { workspace_name: WHOLE },
    misleadingClaims: {
      environment_name: 'every workspace has an environment of this name',
      app_name: 'other workspaces may have an app of this name',
    },
    example: 'workspace_id: ac-…',
  },
  {
    // https://docs.deno.com/deploy/reference/oidc/
    name: 'Deno Deploy',
    issuers: ['https://oidc.deno.com'],
    ownerIds: { org_id: WHOLE, app_id: WHOLE },
    ownerNames: { org_slug: WHOLE },
    misleadingClaims: {
      app_slug: 'other organizations may have an app of this name',
      context_name: 'everybody may have a context of this name',
    },
    example: 'org_id: 0a1b…',
  },
  {
    // https://dvc.org/doc/studio/user-guide/openid-connect
    name: 'DVC Studio',
    issuers: ['https://studio.datachain.ai/api', 'https://studio.iterative.ai/api'],
    ownerIds: {},
    ownerNames: { sub: ['credentials:OWNER/'] },
    example: 'sub: "credentials:my-team/my-credentials"',
  },
  {
    name: 'sandboxes.cloud',
    issuers: ['https://sandboxes.cloud'],
    ownerIds: { aud: WHOLE },
    example: 'aud: my-audience',
  },
  {
    // the ids change with Turbonomic's versions: others of these hosts are clusters of one owner each
    name: 'IBM Turbonomic',
    issuers: [
      ...[
        '22ejnvnnturfmt6km08idd0nt4hekbn7',
        '23e3sd27sju1hoou6ohfs68vbno607tr',
        '23ne21h005qjl3n33d8dui5dlrmv2tmg',
        '24jrf12m5dj7ljlfb4ta2frhrcoadm26',
      ].map(id => `https://rh-oidc.s3.us-east-1.amazonaws.com/${id}`),
      ...['2f785sojlpb85i7402pk3qogugim5nfb', '2c51blsaqa9gkjt0o9rt11mle8mmropu'].map(
        id => `https://oidc.op1.openshiftapps.com/${id}`,
      ),
    ],
    ownerIds: { sub: WHOLE },
    example: 'sub: "system:serviceaccount:my-instance:t8c-operator"',
  },
]
