import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CredentialEnvironment } from '../../../src/client/credential-variables.ts'
import { errorLine } from '../../../src/client/errors.ts'
import { verifySignature } from '../../../src/dev/aws/sts-request.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { callerErrorOf, createPlatformCaller, type PlatformCaller } from '../../support/platforms/caller.ts'
import type { Answer, SeenRequest } from '../../support/platforms/endpoint.ts'
import { someJwt } from '../../support/service/api-stub.ts'

const jwt = someJwt()
const keys = { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'secret/of+aws', Token: 'session==' }
const env = {
  AWS_ACCESS_KEY_ID: keys.AccessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
  AWS_SESSION_TOKEN: keys.Token,
  AWS_REGION: 'eu-west-1',
}
const STS = 'https://sts.eu-west-1.amazonaws.com/'
const clock = virtualClock()
let caller: PlatformCaller

beforeEach(async () => {
  caller = await createPlatformCaller(clock)
  caller.endpoint.answer = sts
})
afterEach(() => caller.close())

/** Answers as STS does, to a signature that an independent implementation verifies. */
function sts({ body }: SeenRequest, incoming: IncomingMessage): Answer {
  const expected = { body, accessKeyId: keys.AccessKeyId, secret: keys.SecretAccessKey, now: clock.now() }
  const verified = verifySignature(incoming, expected)
  if ('code' in verified) return failed(verified.code, verified.status)
  if (incoming.headers['x-amz-security-token'] !== keys.Token) return failed('InvalidClientTokenId', 403)
  return {
    body: `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>
      <WebIdentityToken>${jwt}</WebIdentityToken><Expiration>2026-11-23T10:05:00Z</Expiration>
      </GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`,
  }
}

function failed(code: string, status: number): Answer {
  return {
    status,
    body: `<ErrorResponse><Error><Code>${code}</Code><Message>${keys.Token}</Message></Error>`,
  }
}

test('signs a request for one JWT, at the regional endpoint', async () => {
  const identity = await caller.find(env)
  expect(identity.description).toBe("AWS's web identity token, audience jeton")
  expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
  expect(caller.urls).toEqual([STS])
  expect(caller.directUrls).toEqual([])
  const [request] = caller.endpoint.seen
  expect(request?.method).toBe('POST')
  expect(request?.headers.authorization).toContain('/eu-west-1/sts/aws4_request')
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    Action: 'GetWebIdentityToken',
    Version: '2011-06-15',
    'Audience.member.1': 'jeton',
    SigningAlgorithm: 'RS256',
    DurationSeconds: '300',
  })
})

test.each([
  ['cn-north-1', {}, 'https://sts.cn-north-1.amazonaws.com.cn/'],
  ['us-gov-west-1', {}, 'https://sts.us-gov-west-1.amazonaws.com/'],
  ['eu-west-1', { AWS_ENDPOINT_URL: 'https://vpce-1.example/' }, 'https://vpce-1.example/'],
  [
    'eu-west-1',
    { AWS_ENDPOINT_URL: 'https://x/', AWS_ENDPOINT_URL_STS: 'https://sts.example' },
    'https://sts.example/',
  ],
])('in %s with %s, goes to %s', async (AWS_REGION, more, url) => {
  expect(await caller.credential({ ...env, AWS_REGION, ...more })).toBe(`Bearer ${jwt}`)
  expect(caller.urls).toEqual([url])
})

test.each<[string, CredentialEnvironment]>([
  ['a region that is none', { ...env, AWS_REGION: 'evil.example/' }],
  ['an endpoint without TLS', { ...env, AWS_ENDPOINT_URL_STS: 'http://sts.example/' }],
  ['a container without TLS', { ...container('http://credentials.example/get') }],
  [
    'a container’s path that leads elsewhere',
    { ...container(), AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '@evil.example/' },
  ],
  [
    'a container’s path that goes on as a name',
    { ...container(), AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '.evil.example/' },
  ],
])('sends nothing to %s', async (_what, wrong) => {
  await callerErrorOf(caller.credential(wrong))
  expect(caller.urls).toEqual([])
})

test.each([
  ['OutboundWebIdentityFederationDisabled', 403, 'aws iam enable-outbound-web-identity-federation'],
  ['OutboundWebIdentityFederationDisabledException', 403, 'aws iam enable-outbound-web-identity-federation'],
  ['AccessDenied', 403, 'allow this role the action sts:GetWebIdentityToken'],
  ['ExpiredToken', 403, 'have expired'],
  ['Whatever', 400, 'answered 400: Whatever'],
])('of %s it says what to do, and nothing else that STS says', async (code, status, cure) => {
  caller.endpoint.answer = () => failed(code, status)
  const error = await callerErrorOf(caller.credential(env))
  expect(error).toMatchObject({ exitCode: 1, isTemporary: false, message: expect.stringContaining(cure) })
  expect(errorLine(error)).toContain("cannot get AWS's web identity token: sts.eu-west-1.amazonaws.com")
  expect(errorLine(error)).not.toContain(keys.Token)
  expect(errorLine(error)).not.toContain(keys.SecretAccessKey)
})

test.each([
  ['Throttling', 400],
  ['ServiceUnavailable', 503],
])('%s may pass', async (code, status) => {
  caller.endpoint.answer = () => failed(code, status)
  expect(await callerErrorOf(caller.credential(env))).toMatchObject({ exitCode: 4, isTemporary: true })
})

function container(uri?: string): CredentialEnvironment {
  return { AWS_REGION: 'eu-west-1', ...(uri !== undefined && { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri }) }
}

describe('credentials of a container', () => {
  let seen: SeenRequest | undefined
  beforeEach(() => {
    caller.endpoint.answer = (request, incoming) => {
      if (!request.path.startsWith('/v')) return sts(request, incoming)
      seen = request
      return { body: { ...keys, Expiration: '2026-11-23T16:00:00Z' } }
    }
  })

  test('of ECS', async () => {
    const relative = { ...container(), AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/1' }
    expect(await caller.credential(relative)).toBe(`Bearer ${jwt}`)
    expect(caller.directUrls).toEqual(['http://169.254.170.2/v2/credentials/1'])
    expect(seen?.headers).not.toHaveProperty('authorization')
  })

  test('of EKS Pod Identity, with the token of its file as it is now', async () => {
    const file = await caller.write('/var/run/secrets/pods.eks.amazonaws.com/token', 'first\n')
    const pod = {
      ...container('http://169.254.170.23/v1/credentials'),
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
    }
    const identity = await caller.find(pod)
    await identity.getCredential()
    expect(seen?.headers.authorization).toBe('first')
    await caller.write('/var/run/secrets/pods.eks.amazonaws.com/token', 'second')
    await identity.getCredential()
    expect(seen?.headers.authorization).toBe('second')
  })

  test('of one whose token is a variable, at an address of IPv6', async () => {
    const pod = {
      ...container('http://[fd00:ec2::23]/v1/credentials'),
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'word',
    }
    await caller.credential(pod)
    expect(seen?.headers.authorization).toBe('word')
  })
})

describe('credentials of an instance', () => {
  const session = 'imds-session=='
  function instance(request: SeenRequest, incoming: IncomingMessage): Answer {
    const { method, path, headers } = request
    if (path === '/latest/api/token' && method === 'PUT')
      return headers['x-aws-ec2-metadata-token-ttl-seconds'] ? { body: session } : { status: 400, body: '' }
    if (!path.startsWith('/latest/'))
      return method === 'POST' ? sts(request, incoming) : { status: 404, body: '' }
    if (headers['x-aws-ec2-metadata-token'] !== session) return { status: 401, body: '' }
    if (path.endsWith('/security-credentials/')) return { body: 'orders-role' }
    if (path.endsWith('/security-credentials/orders-role')) return { body: { Code: 'Success', ...keys } }
    return path.endsWith('/placement/region') ? { body: 'eu-west-1' } : { status: 404, body: '' }
  }

  test('over IMDSv2, in the region of the instance', async () => {
    caller.endpoint.answer = instance
    const identity = await caller.find({})
    expect(identity.description).toBe("the EC2 instance's web identity token, audience jeton")
    expect(await identity.getCredential()).toBe(`Bearer ${jwt}`)
    expect(caller.urls.at(-1)).toBe(STS)
    expect(caller.directUrls).toEqual(caller.urls.slice(0, -1))
  })

  test.each<[string, CredentialEnvironment]>([
    ['a pod, whose role that is not', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
    ['who switched it off', { AWS_EC2_METADATA_DISABLED: 'TRUE' }],
  ])('are not those of %s', async (_what, hints) => {
    caller.endpoint.answer = instance
    expect((await callerErrorOf(caller.find(hints))).message).toContain('no credential')
    expect(caller.endpoint.seen.filter(({ path }) => path.startsWith('/latest/'))).toEqual([])
  })
})
