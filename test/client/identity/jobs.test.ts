import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CredentialEnvironment } from '../../../src/client/credential-variables.ts'
import { errorLine } from '../../../src/client/errors.ts'
import { callerErrorOf, createPlatformCaller, type PlatformCaller } from '../../support/platforms/caller.ts'
import { startEndpoint } from '../../support/platforms/endpoint.ts'
import { someJwt } from '../../support/service/api-stub.ts'

const jwt = someJwt()
const secret = 'request-token-of-the-job'
let caller: PlatformCaller

beforeEach(async () => {
  caller = await createPlatformCaller()
})
afterEach(() => caller.close())

describe('a platform that is asked', () => {
  test.each([
    ['Forgejo Actions', { GITHUB_ACTIONS: 'true', FORGEJO_ACTIONS: 'true' }],
    ['GitHub Actions', { GITHUB_ACTIONS: 'true' }],
    ['GitHub Actions', {}],
  ])('%s: with & behind the query that the URL has', async (name, hints: CredentialEnvironment) => {
    caller.endpoint.answer = () => ({ body: { value: jwt } })
    const env = {
      ...hints,
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://run-actions-1.example/idtoken/x?api-version=2.0',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
      JETON_AUDIENCE: 'a&b',
    }
    const identity = await caller.find(env)
    expect(identity.description).toBe(`${name}' OIDC token, audience a&b`)
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.urls).toEqual(['https://run-actions-1.example/idtoken/x?api-version=2.0&audience=a%26b'])
    expect(caller.endpoint.seen[0]).toMatchObject({
      method: 'GET',
      headers: { authorization: `Bearer ${secret}` },
    })
  })

  test('Azure DevOps: an empty POST that is not led to a login page', async () => {
    caller.endpoint.answer = () => ({ body: { oidcToken: jwt } })
    const env = {
      TF_BUILD: 'True',
      SYSTEM_OIDCREQUESTURI: 'https://dev.azure.com/acme/_apis/distributedtask/oidctoken',
      SYSTEM_ACCESSTOKEN: secret,
    }
    expect(await caller.credential(env)).toBe(`Bearer ${jwt}`)
    expect(caller.offers(env)).toEqual(["Azure DevOps' OIDC token"])
    const [request] = caller.endpoint.seen
    expect(caller.urls).toEqual([`${env.SYSTEM_OIDCREQUESTURI}?api-version=7.1`])
    expect(request).toMatchObject({
      method: 'POST',
      body: '',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        'content-length': '0',
        'x-tfs-fedauthredirect': 'Suppress',
      },
    })
    expect(request?.headers).not.toHaveProperty('transfer-encoding')
  })

  test('Codefresh: its token is the whole header', async () => {
    caller.endpoint.answer = () => ({ body: { id_token: jwt } })
    const env = { CF_OIDC_REQUEST_URL: 'https://oidc.codefresh.example/api/t', CF_OIDC_REQUEST_TOKEN: secret }
    expect(await caller.credential(env)).toBe(`Bearer ${jwt}`)
    expect(caller.urls).toEqual(['https://oidc.codefresh.example/api/t?audience=jeton'])
    expect(caller.endpoint.seen[0]?.headers.authorization).toBe(secret)
  })

  test('Fly.io: over its socket, and the reply is the JWT alone', async () => {
    await mkdir(join(caller.root, '.fly'))
    const fly = await startEndpoint(join(caller.root, '.fly/api'))
    fly.answer = () => ({ body: `${jwt}\n` })
    expect(await caller.credential({})).toBe(`Bearer ${jwt}`)
    expect(fly.seen).toMatchObject([
      { method: 'POST', path: '/v1/tokens/oidc', headers: { 'content-type': 'application/json' } },
    ])
    expect(JSON.parse(fly.seen[0]?.body ?? '')).toEqual({ aud: 'jeton' })
    await fly.close()
  })

  test('Fly.io: an error names the socket, and not the host that stands in its URL', async () => {
    const socket = await caller.write('.fly/api', '')
    expect(await callerErrorOf(caller.credential({}))).toMatchObject({
      message: expect.stringContaining(`Fly.io's OIDC token: ${socket} cannot be reached (`),
    })
  })

  test('Vercel: its token of the build is exchanged for one with the audience', async () => {
    const source = someJwt()
    caller.endpoint.answer = () => ({ body: { token: jwt, expiry: 1_800_000_000 } })
    expect(await caller.credential({ VERCEL: '1', VERCEL_OIDC_TOKEN: source })).toBe(`Bearer ${jwt}`)
    expect(caller.urls).toEqual(['https://oidc.vercel.com/~token'])
    const [request] = caller.endpoint.seen
    expect(request?.headers).not.toHaveProperty('authorization')
    expect(JSON.parse(request?.body ?? '')).toEqual({ token: source, aud: 'jeton' })
  })

  test('Vercel: in a function, the token comes with each request that it answers', async () => {
    const key = Symbol.for('@vercel/request-context')
    const [first, second] = [someJwt(), someJwt()]
    let headers = { 'x-vercel-oidc-token': first }
    Reflect.set(globalThis, key, { get: () => ({ headers }) })
    try {
      caller.endpoint.answer = () => ({ body: { token: jwt } })
      const identity = await caller.find({ VERCEL: '1' })
      await identity.getCredential()
      headers = { 'x-vercel-oidc-token': second }
      await identity.getCredential()
    } finally {
      Reflect.deleteProperty(globalThis, key)
    }
    expect(caller.endpoint.seen.map(({ body }) => JSON.parse(body).token)).toEqual([first, second])
  })
})

describe('a platform that gives its JWT by a variable or a file', () => {
  const other = someJwt()

  test.each<[string, CredentialEnvironment]>([
    ["GitLab CI's ID token", { GITLAB_CI: 'true', JETON_ID_TOKEN: jwt }],
    ['the ID token in JETON_ID_TOKEN', { JETON_ID_TOKEN: jwt, SEMAPHORE_OIDC_TOKEN: other }],
    ["Bitbucket's step token", { BITBUCKET_BUILD_NUMBER: '7', BITBUCKET_STEP_OIDC_TOKEN: jwt }],
    [
      "HCP Terraform's workload identity token",
      { TFC_RUN_ID: 'run-1', TFC_WORKLOAD_IDENTITY_TOKEN: other, TFC_WORKLOAD_IDENTITY_TOKEN_JETON: jwt },
    ],
    ["HCP Terraform's workload identity token", { TFC_WORKLOAD_IDENTITY_TOKEN: jwt }],
    ["Spacelift's OIDC token", { SPACELIFT_OIDC_TOKEN: jwt }],
    ["Semaphore's OIDC token", { SEMAPHORE_OIDC_TOKEN: jwt }],
    ["env0's OIDC token", { ENV0_OIDC_TOKEN: jwt }],
    ["Pulumi Deployments' OIDC token", { PULUMI_OIDC_TOKEN: jwt }],
    ["Modal's identity token", { MODAL_IDENTITY_TOKEN: `${jwt}\n` }],
  ])('%s', async (description, env) => {
    const identity = await caller.find(env)
    expect(identity.description).toBe(description)
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.urls).toEqual([])
  })

  test.each([
    ["Kubernetes' projected token", '/var/run/secrets/jeton/token'],
    ["Kubernetes' projected token", '/var/run/secrets/tokens/jeton'],
    ["Spacelift's OIDC token", '/mnt/workspace/spacelift.oidc'],
    ["Pulumi Deployments' OIDC token", '/mnt/pulumi/pulumi.oidc'],
  ])('%s in %s, read anew each time', async (description, path) => {
    await caller.write(path, `${other}\n`)
    const identity = await caller.find({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })
    expect(identity.description).toBe(description)
    expect(await identity.getCredential()).toBe(`Bearer ${other}`)
    await caller.write(path, jwt)
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.urls).toEqual([])
  })

  test('of two projected tokens, the first path counts', async () => {
    await caller.write('/var/run/secrets/tokens/jeton', other)
    await caller.write('/var/run/secrets/jeton/token', jwt)
    expect(await caller.credential({})).toBe(`Bearer ${jwt}`)
  })

  test('AKS, whose file may be anywhere', async () => {
    const file = await caller.write('/var/run/secrets/azure/tokens/azure-identity-token', jwt)
    expect(await caller.credential({ AZURE_FEDERATED_TOKEN_FILE: file })).toBe(`Bearer ${jwt}`)
  })
})

test('a JWT in place of the path of its file is shown in no error', async () => {
  const token = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzb21lb25lIn0.${'s'.repeat(86)}`
  const error = await callerErrorOf(caller.credential({ AZURE_FEDERATED_TOKEN_FILE: token }))
  expect(errorLine(error)).toContain('a credential itself is where the path')
  expect(errorLine(error)).not.toContain(token)
})

describe('a platform that gives no JWT', () => {
  test.each<[string, CredentialEnvironment]>([
    ['`permissions: id-token: write`', { GITHUB_ACTIONS: 'true' }],
    ['`permissions: id-token: write`', { GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x' }],
    ['`enable-openid-connect: true`', { GITHUB_ACTIONS: 'true', FORGEJO_ACTIONS: 'true' }],
    ['Gitea has none yet', { GITHUB_ACTIONS: 'true', GITEA_ACTIONS: 'true' }],
    ['`id_tokens: { JETON_ID_TOKEN: { aud: jeton } }`', { GITLAB_CI: 'true' }],
    ['`circleci` is not in PATH', { CIRCLECI: 'true', PATH: '/nowhere' }],
    ['`buildkite-agent` is not in PATH', { BUILDKITE: 'true' }],
    ['`oidc: true`', { BITBUCKET_BUILD_NUMBER: '7' }],
    [
      '`env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`',
      { SYSTEM_OIDCREQUESTURI: 'https://dev.azure.com/x' },
    ],
    ['`env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`', { TF_BUILD: 'True' }],
    ['TFC_WORKLOAD_IDENTITY_AUDIENCE_JETON=jeton', { TFC_RUN_ID: 'run-1' }],
    ['OIDC federation', { VERCEL: '1' }],
    ['/.fly/api', { FLY_MACHINE_ID: '148e' }],
    ['AWS_REGION', { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' }],
    ['`audience: jeton`', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
    ['`audience: jeton`', { AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/eks.amazonaws.com/x' }],
  ])('is told to add %s', async (cure, env) => {
    const error = await callerErrorOf(caller.find(env))
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(cure) })
  })

  test('never goes by the identity of the machine below the job', async () => {
    const machine = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' }
    await callerErrorOf(caller.find({ GITLAB_CI: 'true', ...machine }))
    expect(caller.urls).toEqual([])
  })
})

describe('what a platform answers', () => {
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://actions.example/token?x=1',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret,
  }

  test.each([
    ['a secret where the JWT should be', 200, { value: `oops ${secret}` }],
    ['a JWT with a line break in it', 200, { value: `${jwt}\nX-Injected: ${secret}` }],
    ['control characters', 200, { value: '\u001b[2J' }],
    ['a page', 200, `<html>${secret}`],
    ['a refusal', 403, { message: `${secret}\u001b[2J` }],
  ])('%s is not shown', async (_what, status, body) => {
    caller.endpoint.answer = () => ({ status, body })
    const error = await callerErrorOf(caller.credential(env))
    expect(error).toMatchObject({ exitCode: 1, isTemporary: false })
    expect(errorLine(error)).toMatch(/^jeton: cannot get GitHub Actions' OIDC token: [ -~]+\n$/)
    expect(errorLine(error)).not.toContain(secret)
  })

  test.each([429, 500, 502, 503, 504])('%s may pass, so that --wait asks again', async status => {
    caller.endpoint.answer = () => ({ status, headers: { 'retry-after': '7' }, body: '' })
    const error = await callerErrorOf(caller.credential(env))
    expect(error).toMatchObject({ exitCode: 4, isTemporary: true, retryAfterMs: 7000 })
  })

  test('nothing, because nobody listens, may pass too', async () => {
    await caller.endpoint.close()
    expect(await callerErrorOf(caller.credential(env))).toMatchObject({
      isTemporary: true,
      message: expect.stringContaining('actions.example cannot be reached (ECONNREFUSED)'),
    })
  })

  test.each<[string, CredentialEnvironment]>([
    ['GitHub Actions', { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: 'http://actions.example/token' }],
    ['Azure DevOps', { SYSTEM_OIDCREQUESTURI: 'http://ado.example/x', SYSTEM_ACCESSTOKEN: secret }],
    ['Codefresh', { CF_OIDC_REQUEST_URL: 'http://cf.example/x', CF_OIDC_REQUEST_TOKEN: secret }],
  ])('a URL of %s without TLS gets no request', async (_name, insecure) => {
    const error = await callerErrorOf(caller.credential(insecure))
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining('https://') })
    expect(caller.urls).toEqual([])
  })
})
