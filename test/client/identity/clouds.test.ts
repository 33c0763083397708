import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CredentialEnvironment } from '../../../src/client/credential-variables.ts'
import { errorLine } from '../../../src/client/errors.ts'
import { settle, virtualClock } from '../../support/clock/virtual-clock.ts'
import { callerErrorOf, createPlatformCaller, type PlatformCaller } from '../../support/platforms/caller.ts'
import type { Answer, SeenRequest } from '../../support/platforms/endpoint.ts'
import { someJwt } from '../../support/service/api-stub.ts'

const jwt = someJwt()
const clock = virtualClock()
let caller: PlatformCaller

beforeEach(async () => {
  caller = await createPlatformCaller(clock)
})
afterEach(() => caller.close())

/** Answers as Google's metadata server. */
function google({ path, headers }: SeenRequest): Answer {
  if (headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'Missing Metadata-Flavor' }
  const flavor = { 'metadata-flavor': 'Google' }
  return path === '/' ? { headers: flavor, body: 'computeMetadata/' } : { headers: flavor, body: `${jwt}` }
}

/** Answers as Azure's. */
function azure({ path, headers }: SeenRequest): Answer {
  if (headers.metadata !== 'true') return { status: 400, body: { error: 'invalid_request' } }
  if (path.startsWith('/metadata/instance?')) return { body: { compute: { vmId: 'x' } } }
  return path.startsWith('/metadata/identity/')
    ? { body: { access_token: jwt, expires_on: '1800000000' } }
    : { status: 404, body: '' }
}

describe('Google Cloud', () => {
  const identityPath =
    '/computeMetadata/v1/instance/service-accounts/default/identity?audience=jeton&format=full'

  test.each<[string, CredentialEnvironment, string]>([
    ['Cloud Run', { K_SERVICE: 'orders' }, 'http://metadata.google.internal'],
    ['a job of Cloud Run', { CLOUD_RUN_JOB: 'orders' }, 'http://metadata.google.internal'],
    ['a named metadata server', { GCE_METADATA_HOST: '169.254.169.252:988' }, 'http://169.254.169.252:988'],
  ])('%s: by name, without a probe and without a proxy', async (_name, env, origin) => {
    caller.endpoint.answer = google
    const identity = await caller.find(env)
    expect(identity.description).toBe("Google Cloud's identity token, audience jeton")
    expect(caller.urls).toEqual([])
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.directUrls).toEqual([`${origin}${identityPath}`])
    expect(caller.endpoint.seen[0]?.headers['metadata-flavor']).toBe('Google')
  })

  test('a machine or a pod that only the metadata server tells of', async () => {
    caller.endpoint.answer = google
    const identity = await caller.find({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.directUrls.at(-1)).toBe(`http://169.254.169.254${identityPath}`)
    expect(caller.directUrls).toEqual(caller.urls)
  })

  test('a pod whose metadata server does not answer yet may find it later, with --wait', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
    const error = await callerErrorOf(caller.find(env))
    expect(error).toMatchObject({
      exitCode: 2,
      isTemporary: true,
      message: expect.stringContaining('--wait'),
    })
    expect(await callerErrorOf(caller.find({}))).toMatchObject({ exitCode: 2, isTemporary: false })
  })

  test.each([429, 500, 503])('a metadata server that answers %s is busy, and not another', async status => {
    caller.endpoint.answer = () => ({ status, headers: { 'retry-after': '7' }, body: '' })
    expect(await callerErrorOf(caller.find({}))).toMatchObject({
      exitCode: 4,
      isTemporary: true,
      retryAfterMs: 7000,
      message: `no credential is set, and this machine's metadata server answered ${status}`,
    })
  })

  test('a machine without a service account is told so', async () => {
    caller.endpoint.answer = () => ({ status: 404, body: '' })
    const error = await callerErrorOf(caller.credential({ K_SERVICE: 'orders' }))
    expect(error.message).toContain('no service account')
  })

  test('a metadata server elsewhere gets no request', async () => {
    const error = await callerErrorOf(caller.credential({ GCE_METADATA_HOST: 'metadata.example' }))
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining('GCE_METADATA_HOST') })
    expect(caller.urls).toEqual([])
  })
})

describe('Azure', () => {
  test('App Service, Functions and Container Apps', async () => {
    caller.endpoint.answer = ({ headers }) =>
      headers['x-identity-header'] === 'secret' ? { body: { access_token: jwt } } : { status: 400, body: '' }
    const env = {
      IDENTITY_ENDPOINT: 'http://169.254.129.2:8081/msi/token',
      IDENTITY_HEADER: 'secret',
      JETON_AUDIENCE: 'api://jeton',
      AZURE_CLIENT_ID: 'client-1',
    }
    const identity = await caller.find(env)
    expect(identity.description).toBe("Azure's managed identity, audience api://jeton")
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.directUrls).toEqual([
      `${env.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=api%3A%2F%2Fjeton&client_id=client-1`,
    ])
  })

  test('a resource that is not registered: what JETON_AUDIENCE has to be', async () => {
    caller.endpoint.answer = () => ({ status: 400, body: { message: 'AADSTS500011' } })
    const env = { IDENTITY_ENDPOINT: 'http://localhost:42356/msi/token', IDENTITY_HEADER: 'secret' }
    const error = await callerErrorOf(caller.credential(env))
    expect(error.message).toMatch(/answered 400: set JETON_AUDIENCE to the App ID URI/)
  })

  test('the secret header goes to no other machine', async () => {
    const env = { IDENTITY_ENDPOINT: 'http://identity.example/msi/token', IDENTITY_HEADER: 'secret' }
    const error = await callerErrorOf(caller.credential(env))
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining('IDENTITY_ENDPOINT') })
    expect(caller.urls).toEqual([])
  })

  test('a machine', async () => {
    caller.endpoint.answer = azure
    const identity = await caller.find({ JETON_AUDIENCE: 'api://jeton' })
    expect(identity.description).toBe("the Azure machine's managed identity, audience api://jeton")
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.directUrls.at(-1)).toBe(
      'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2Fjeton',
    )
    expect(caller.endpoint.seen.at(-1)?.headers.metadata).toBe('true')
    expect(caller.directUrls).toEqual(caller.urls)
  })

  test('a pod never goes by the identity of its node', async () => {
    caller.endpoint.answer = azure
    const error = await callerErrorOf(caller.find({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }))
    expect(error.message).toContain('mount a projected service account token')
    expect(caller.endpoint.seen.filter(({ headers }) => headers.metadata)).toEqual([])
  })
})

describe('a machine that no platform tells of', () => {
  const advice = /^jeton: no credential: set JETON_JWT_FILE .*JETON_JWT or JETON_API_KEY.*--jwt FILE.*\n$/

  test('is told what to do, if nobody answers', async () => {
    await caller.endpoint.close()
    const error = await callerErrorOf(caller.find({}))
    expect(error.exitCode).toBe(2)
    expect(errorLine(error)).toMatch(advice)
  })

  test.each([
    ['answers what it is not asked', { status: 200, body: '<html>log in to this network</html>' }],
    ['refuses', { status: 403, body: 'no' }],
    ['redirects', { status: 302, headers: { location: 'http://login.example/' }, body: '' }],
  ])('is told so, if something %s', async (_what, answer) => {
    caller.endpoint.answer = () => answer
    expect(errorLine(await callerErrorOf(caller.find({})))).toMatch(advice)
  })

  test('is told so after a second, if something takes the question and never answers', async () => {
    caller.endpoint.answer = () => ({ body: undefined })
    const start = clock.now()
    let error: Error | undefined
    void callerErrorOf(caller.find({})).then(cause => {
      error = cause
    })
    while (caller.endpoint.seen.length < 3) await settle()
    expect(error).toBeUndefined()
    while (error === undefined) await clock.advance(100)
    expect(clock.now() - start).toBe(1000)
    expect(error.message).toContain('no credential')
  })

  test('asks no metadata server if a variable says who it is', async () => {
    caller.endpoint.answer = google
    await caller.credential({ JETON_API_KEY: 'key' })
    await caller.find({ GITLAB_CI: 'true', JETON_ID_TOKEN: jwt })
    expect(caller.urls).toEqual([])
  })
})
