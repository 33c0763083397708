import type { Environment } from '../lib/process-input.ts'

/** Every variable that a credential is read from, or with which a new JWT is requested as the caller. */
const CREDENTIAL_VARIABLES = [
  'JETON_JWT',
  'JETON_JWT_FILE',
  'JETON_API_KEY',
  'JETON_ID_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'CIRCLE_OIDC_TOKEN_V2',
  'CIRCLE_OIDC_TOKEN',
  'BITBUCKET_STEP_OIDC_TOKEN',
  'SYSTEM_OIDCREQUESTURI',
  'SYSTEM_ACCESSTOKEN',
  'TFC_WORKLOAD_IDENTITY_TOKEN_JETON',
  'TFC_WORKLOAD_IDENTITY_TOKEN',
  'SPACELIFT_OIDC_TOKEN',
  'CF_OIDC_REQUEST_URL',
  'CF_OIDC_REQUEST_TOKEN',
  'SEMAPHORE_OIDC_TOKEN',
  'ENV0_OIDC_TOKEN',
  'PULUMI_OIDC_TOKEN',
  'VERCEL_OIDC_TOKEN',
  'MODAL_IDENTITY_TOKEN',
] as const

/** Those whose value is not the credential itself, but the address or the file to get it from. */
const ADDRESS_VARIABLES: readonly string[] = [
  'JETON_JWT_FILE',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'SYSTEM_OIDCREQUESTURI',
  'CF_OIDC_REQUEST_URL',
]

/**
 * What a cloud gives a program to call the cloud's own services. A command needs it for its own work, and could get it without
 * these variables too, from files and metadata servers: it stays.
 */
type CloudVariable =
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'AWS_SESSION_TOKEN'
  | 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
  | 'AWS_CONTAINER_CREDENTIALS_FULL_URI'
  | 'AWS_CONTAINER_AUTHORIZATION_TOKEN'
  | 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'
  | 'AZURE_FEDERATED_TOKEN_FILE'
  | 'IDENTITY_ENDPOINT'
  | 'IDENTITY_HEADER'

/** Variables that say something about the credential, and are none. */
type HintVariable =
  | 'JETON_AUDIENCE'
  | 'PATH'
  | 'GITHUB_ACTIONS'
  | 'FORGEJO_ACTIONS'
  | 'GITEA_ACTIONS'
  | 'GITLAB_CI'
  | 'CIRCLECI'
  | 'BUILDKITE'
  | 'BITBUCKET_BUILD_NUMBER'
  | 'TF_BUILD'
  | 'TFC_RUN_ID'
  | 'VERCEL'
  | 'FLY_MACHINE_ID'
  | 'KUBERNETES_SERVICE_HOST'
  | 'IDENTITY_SERVER_THUMBPRINT'
  | 'IMDS_ENDPOINT'
  | 'AZURE_CLIENT_ID'
  | 'K_SERVICE'
  | 'CLOUD_RUN_JOB'
  | 'FUNCTION_NAME'
  | 'GCE_METADATA_HOST'
  | 'AWS_REGION'
  | 'AWS_DEFAULT_REGION'
  | 'AWS_ENDPOINT_URL_STS'
  | 'AWS_ENDPOINT_URL'
  | 'AWS_WEB_IDENTITY_TOKEN_FILE'
  | 'AWS_EC2_METADATA_DISABLED'

/**
 * What the choice of a credential may read of the environment. The type has no other variable: a way to authenticate that
 * reads a new one does not compile before the variable is listed above, and so withheld from commands, or left to them with
 * a reason.
 */
export type CredentialEnvironment = Readonly<
  Partial<Record<(typeof CREDENTIAL_VARIABLES)[number] | CloudVariable | HintVariable, string | undefined>>
>

/**
 * Returns an environment without the caller's credentials: without the variables that jeton reads them from, and without
 * every other one with the same value, such as the JWT that a CI service put into a variable of its own. Files with a
 * credential and what a cloud gives the command stay where they are, and what jeton does not read itself stays too.
 */
export function withholdCredentials(env: Environment): Environment {
  const withheld: readonly string[] = CREDENTIAL_VARIABLES
  const secrets = CREDENTIAL_VARIABLES.flatMap(name =>
    ADDRESS_VARIABLES.includes(name) ? [] : env[name]?.trim() || [],
  )
  const kept = Object.entries(env).filter(
    ([name, value = '']) => !withheld.includes(name) && !secrets.includes(value.trim()),
  )
  return Object.fromEntries(kept)
}
