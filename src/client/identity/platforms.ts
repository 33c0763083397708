import { hasAwsVariables, namedRegion } from './aws-access.ts'
import { requestAwsWebIdentity } from './aws-web-identity.ts'
import {
  isAzureAppService,
  isAzureMachine,
  requestAppServiceIdentity,
  requestMachineIdentity,
} from './azure.ts'
import { readCredentialFile } from './credential-text.ts'
import { isInstanceWithRole } from './ec2-metadata.ts'
import { isGoogle, isGoogleMachine, requestGoogleIdentity } from './google.ts'
import {
  FLY_SOCKET,
  requestActionsToken,
  requestCodefreshToken,
  requestFlyToken,
  requestPipelineToken,
} from './job-endpoints.ts'
import { buildkiteLacks, circleLacks, requestBuildkiteToken, requestCircleToken } from './job-programs.ts'
import type { Platform } from './platform.ts'
import { findFile, givenIn, hasAll, hasAny, lacksUnless } from './row-parts.ts'
import { exchangeVercelToken, vercelSourceToken } from './vercel.ts'

const ACTIONS = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const
const TFC_TOKENS = ['TFC_WORKLOAD_IDENTITY_TOKEN_JETON', 'TFC_WORKLOAD_IDENTITY_TOKEN'] as const

/**
 * Who says in a JWT who the caller is. The first row that is here counts; if it lacks something, the caller is told what to add,
 * so that no job goes by the identity of the machine below it. What gives a job its own identity comes before machines.
 * docs/connect/who-am-i.md has a row for each: what to switch on, and how a server is configured for it.
 */
export const PLATFORMS: readonly Platform[] = [
  {
    token: "Forgejo Actions' OIDC token",
    audience: 'free',
    // GITHUB_ACTIONS is true there, too
    isHere: ({ env }) => env.FORGEJO_ACTIONS === 'true',
    lacks: lacksUnless(ACTIONS, 'add `enable-openid-connect: true` to the job or the workflow'),
    request: requestActionsToken,
  },
  {
    token: "Gitea Actions' OIDC token",
    audience: 'free',
    // both are true in Forgejo Actions, too
    isHere: ({ env }) => env.GITEA_ACTIONS === 'true',
    lacks: lacksUnless(
      ACTIONS,
      'Gitea has none yet: give the job JETON_API_KEY, from a secret (in Forgejo, add `enable-openid-connect: true`)',
    ),
    request: requestActionsToken,
  },
  {
    token: "GitHub Actions' OIDC token",
    audience: 'free',
    isHere: host => host.env.GITHUB_ACTIONS === 'true' || hasAll(ACTIONS, host),
    lacks: lacksUnless(
      ACTIONS,
      'add `permissions: id-token: write` to the job or the workflow (a pull request from a fork never gets one)',
    ),
    request: requestActionsToken,
  },
  {
    // one for the whole job, by the usual name for the audience: https://docs.gitlab.com/ci/secrets/id_token_authentication/
    ...givenIn(['JETON_ID_TOKEN']),
    token: "GitLab CI's ID token",
    isHere: ({ env }) => env.GITLAB_CI === 'true',
    lacks: lacksUnless(['JETON_ID_TOKEN'], 'add `id_tokens: { JETON_ID_TOKEN: { aud: jeton } }` to the job'),
  },
  // Semaphore, too, gives tokens names of the job's choice
  { ...givenIn(['JETON_ID_TOKEN']), token: 'the ID token in JETON_ID_TOKEN' },
  {
    token: "CircleCI's OIDC token",
    audience: 'free',
    isHere: ({ env }) => env.CIRCLECI === 'true',
    lacks: circleLacks,
    request: requestCircleToken,
  },
  {
    token: "Buildkite's OIDC token",
    audience: 'free',
    isHere: ({ env }) => env.BUILDKITE === 'true',
    lacks: buildkiteLacks,
    request: requestBuildkiteToken,
  },
  {
    // https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/
    ...givenIn(['BITBUCKET_STEP_OIDC_TOKEN']),
    token: "Bitbucket's step token",
    isHere: host => hasAny(['BITBUCKET_STEP_OIDC_TOKEN', 'BITBUCKET_BUILD_NUMBER'], host),
    lacks: lacksUnless(
      ['BITBUCKET_STEP_OIDC_TOKEN'],
      'add `oidc: true` to the step, or `oidc: { audiences: [jeton] }` for that audience',
    ),
  },
  {
    token: "Azure DevOps' OIDC token",
    audience: 'fixed',
    isHere: ({ env }) => Boolean(env.SYSTEM_OIDCREQUESTURI) || env.TF_BUILD === 'True',
    lacks: lacksUnless(
      ['SYSTEM_OIDCREQUESTURI', 'SYSTEM_ACCESSTOKEN'],
      'add `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)` to the step; where SYSTEM_OIDCREQUESTURI is not set either, run the step as AzureCLI@2',
    ),
    request: requestPipelineToken,
  },
  {
    // https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/manual-generation
    ...givenIn(TFC_TOKENS),
    token: "HCP Terraform's workload identity token",
    isHere: host => hasAny([...TFC_TOKENS, 'TFC_RUN_ID'], host),
    lacks: host =>
      hasAny(TFC_TOKENS, host)
        ? undefined
        : 'set the environment variable TFC_WORKLOAD_IDENTITY_AUDIENCE_JETON=jeton in the workspace or a variable set',
  },
  {
    // https://docs.spacelift.io/integrations/cloud-providers/oidc
    ...givenIn(['SPACELIFT_OIDC_TOKEN'], ['/mnt/workspace/spacelift.oidc']),
    token: "Spacelift's OIDC token",
  },
  {
    token: "Codefresh's OIDC token",
    audience: 'free',
    isHere: host => hasAll(['CF_OIDC_REQUEST_URL', 'CF_OIDC_REQUEST_TOKEN'], host),
    request: requestCodefreshToken,
  },
  // https://docs.semaphore.io/using-semaphore/openid
  { ...givenIn(['SEMAPHORE_OIDC_TOKEN']), token: "Semaphore's OIDC token" },
  // https://docs.envzero.com/guides/integrations/oidc-integrations
  { ...givenIn(['ENV0_OIDC_TOKEN']), token: "env0's OIDC token" },
  {
    // https://www.pulumi.com/docs/deployments/deployments/oidc/
    ...givenIn(['PULUMI_OIDC_TOKEN'], ['/mnt/pulumi/pulumi.oidc']),
    token: "Pulumi Deployments' OIDC token",
  },
  {
    token: "Vercel's OIDC token",
    audience: 'free',
    isHere: host => vercelSourceToken(host) !== undefined || host.env.VERCEL === '1',
    lacks: host =>
      vercelSourceToken(host) === undefined
        ? "switch on OIDC federation (Secure Backend Access) in the project's settings; in a function, ask while a request is answered"
        : undefined,
    request: exchangeVercelToken,
  },
  {
    token: "Fly.io's OIDC token",
    audience: 'free',
    isHere: host => findFile([FLY_SOCKET], host) !== undefined || Boolean(host.env.FLY_MACHINE_ID),
    lacks: host => (findFile([FLY_SOCKET], host) ? undefined : `the socket ${FLY_SOCKET} is not there`),
    request: requestFlyToken,
  },
  // https://modal.com/docs/guide/oidc-integration
  { ...givenIn(['MODAL_IDENTITY_TOKEN']), token: "Modal's identity token" },
  {
    // https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection
    ...givenIn([], ['/var/run/secrets/jeton/token', '/var/run/secrets/tokens/jeton']),
    token: "Kubernetes' projected token",
  },
  {
    token: "Azure's managed identity",
    audience: 'free',
    isHere: isAzureAppService,
    request: requestAppServiceIdentity,
  },
  {
    // https://azure.github.io/azure-workload-identity/docs/
    token: "AKS' workload identity token",
    audience: 'fixed',
    isHere: ({ env }) => Boolean(env.AZURE_FEDERATED_TOKEN_FILE),
    request: async ({ env }) => readCredentialFile(env.AZURE_FEDERATED_TOKEN_FILE ?? ''),
  },
  {
    token: "AWS's web identity token",
    audience: 'free',
    isHere: hasAwsVariables,
    lacks: host => (namedRegion(host) === undefined ? 'set AWS_REGION' : undefined),
    request: requestAwsWebIdentity,
  },
  {
    token: "Google Cloud's identity token",
    audience: 'free',
    isHere: isGoogle,
    answers: isGoogleMachine,
    request: requestGoogleIdentity,
  },
  {
    token: "the Azure machine's managed identity",
    audience: 'free',
    isHere: () => false,
    answers: isAzureMachine,
    request: requestMachineIdentity,
  },
  {
    token: "the EC2 instance's web identity token",
    audience: 'free',
    isHere: () => false,
    answers: isInstanceWithRole,
    request: requestAwsWebIdentity,
  },
]
