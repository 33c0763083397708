import { describe, expect, test } from 'vitest'
import { listIdentities } from '../../src/client/credential.ts'
import { type CredentialEnvironment, withholdCredentials } from '../../src/client/credential-variables.ts'
import { createNodeSend } from '../../src/client/node-http.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { someJwt } from '../support/service/api-stub.ts'

/** Returns what an environment offers to be known by. */
function offersOf(env: Record<string, string | undefined>): string[] {
  const sources = { env, stdin: (async function* () {})(), root: '/nowhere' }
  const network = { send: createNodeSend(), clock: virtualClock() }
  return listIdentities(sources, network).map(({ description }) => description)
}

describe('withholdCredentials', () => {
  test.each<[string, string, Record<string, string>]>([
    ['a JWT', 'the JWT in JETON_JWT', { JETON_JWT: someJwt() }],
    ['a file', 'the JWT in /jwt (JETON_JWT_FILE)', { JETON_JWT_FILE: '/jwt' }],
    ['an API key', 'the API key in JETON_API_KEY', { JETON_API_KEY: 'jeton_key' }],
    [
      'GitHub Actions',
      "GitHub Actions' OIDC token, audience jeton",
      { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret' },
    ],
    ['GitLab CI', 'the ID token in JETON_ID_TOKEN', { JETON_ID_TOKEN: someJwt() }],
    ['Bitbucket', "Bitbucket's step token", { BITBUCKET_STEP_OIDC_TOKEN: someJwt() }],
    [
      'Azure DevOps',
      "Azure DevOps' OIDC token",
      { SYSTEM_OIDCREQUESTURI: 'https://dev.azure.com/x', SYSTEM_ACCESSTOKEN: 'secret' },
    ],
    [
      'HCP Terraform',
      "HCP Terraform's workload identity token",
      { TFC_WORKLOAD_IDENTITY_TOKEN_JETON: someJwt(), TFC_WORKLOAD_IDENTITY_TOKEN: someJwt() },
    ],
    ['Spacelift', "Spacelift's OIDC token", { SPACELIFT_OIDC_TOKEN: someJwt() }],
    [
      'Codefresh',
      "Codefresh's OIDC token, audience jeton",
      { CF_OIDC_REQUEST_URL: 'https://oidc.codefresh.io/x', CF_OIDC_REQUEST_TOKEN: 'secret' },
    ],
    ['Semaphore', "Semaphore's OIDC token", { SEMAPHORE_OIDC_TOKEN: someJwt() }],
    ['env0', "env0's OIDC token", { ENV0_OIDC_TOKEN: someJwt() }],
    ['Pulumi', "Pulumi Deployments' OIDC token", { PULUMI_OIDC_TOKEN: someJwt() }],
    ['Vercel', "Vercel's OIDC token, audience jeton", { VERCEL_OIDC_TOKEN: someJwt() }],
    ['Modal', "Modal's identity token", { MODAL_IDENTITY_TOKEN: someJwt() }],
  ])('leaves nothing of %s to find the credential by', (_name, description, env) => {
    expect(offersOf(env)).toEqual([description])
    expect(withholdCredentials(env)).toEqual({})
  })

  test('withholds the tokens that a job of CircleCI has in its environment', () => {
    const env = { CIRCLECI: 'true', CIRCLE_OIDC_TOKEN: someJwt(), CIRCLE_OIDC_TOKEN_V2: someJwt() }
    expect(withholdCredentials(env)).toEqual({ CIRCLECI: 'true' })
  })

  test('leaves the command what a cloud gives it for calls to the cloud', () => {
    const env = {
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'session',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret',
      AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/tokens/azure-identity-token',
      IDENTITY_ENDPOINT: 'http://127.0.0.1:41000/msi/token',
      IDENTITY_HEADER: 'secret',
    }
    expect(offersOf(env)).toHaveLength(3)
    expect(withholdCredentials(env)).toEqual(env)
  })

  test('leaves no other variable with the same value, and all the rest', () => {
    const [jwt, key] = [someJwt(), 'jeton_key']
    const kept = { PATH: '/bin', EMPTY: '', JETON_URL: 'https://jeton.example', JETON_AUDIENCE: 'jeton' }
    const env = {
      ...kept,
      JETON_JWT: jwt,
      CI_JOB_JETON_TOKEN: `${jwt}\n`,
      JETON_API_KEY: key,
      NPM_CONFIG_KEY: key,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runtime',
      // GitHub's runner gives it the same value
      ACTIONS_RUNTIME_TOKEN: 'runtime',
    }
    expect(withholdCredentials(env)).toEqual(kept)
  })

  test('a way to find a credential reads no variable that is not listed', () => {
    const env: CredentialEnvironment = {}
    // @ts-expect-error a variable has to be listed before it is read, so that it is withheld
    expect(env.JETON_OTHER_JWT).toBeUndefined()
  })
})
