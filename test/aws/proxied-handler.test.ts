import { type AddressInfo, createServer, type Socket } from 'node:net'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient, createClientSettings, SHORT_CALLS } from '../../src/aws/client.ts'
import { awsErrorFacts } from '../../src/aws/error-facts.ts'
import { describeAwsError } from '../../src/aws/errors.ts'
import { UsageError } from '../../src/errors.ts'
import { stsFailure } from '../../src/tokens/role-session/sts-failure.ts'
import { type Sts, startSts } from '../support/aws/sts.ts'
import { stubEnvironment } from '../support/aws/stub-environment.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { type EgressProxyServer, startEgressProxy } from '../support/egress/egress-proxy.ts'

const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'
const SECURE = 'https://sts.example'
const PLAIN = 'http://sts.example:8000'
let sts: Sts
let proxy: EgressProxyServer
let client: STSClient | undefined

beforeEach(async () => {
  sts = await startSts()
  proxy = await startEgressProxy({
    routes: { 'sts.example:8000': Number(new URL(sts.url).port) },
    credentials: 'user:s3cret',
  })
  stubEnvironment(sts.environment())
})
afterEach(async () => {
  client?.destroy()
  vi.unstubAllEnvs()
  await Promise.all([sts.close(), proxy.close()])
})

const proxyUrl = (credentials = 'user:s3cret@') => `http://${credentials}127.0.0.1:${proxy.port}`

function assumeRole(endpoint: string, env: Record<string, string>) {
  vi.stubEnv('AWS_ENDPOINT_URL_STS', endpoint)
  client = createClient(STSClient, { limits: SHORT_CALLS, clock: virtualClock(), env })
  return client.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'orders.migrator' }))
}

async function startServer(onSocket: (socket: Socket) => void) {
  const server = createServer(socket => onSocket(socket.on('error', () => {})))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, close: () => void server.close() }
}

async function failureOf(env: Record<string, string>, endpoint = SECURE): Promise<Error> {
  return assumeRole(endpoint, env).then(
    () => expect.unreachable('STS was reached'),
    (cause: Error) => cause,
  )
}

test('an endpoint of http gets requests in absolute form, and the proxy its credentials', async () => {
  const { AssumedRoleUser } = await assumeRole(PLAIN, { HTTP_PROXY: proxyUrl() })
  expect(AssumedRoleUser?.Arn).toContain('assumed-role/jeton-orders')
  expect(proxy.requests).toEqual([`POST ${PLAIN}/`])
})

test.each([
  ['no proxy is named', {}],
  ['it is excepted', { HTTP_PROXY: 'http://proxy.invalid', NO_PROXY: '127.0.0.1' }],
  ['it is this machine', { HTTP_PROXY: 'http://proxy.invalid', HTTPS_PROXY: 'http://proxy.invalid' }],
])('the endpoint is called directly if %s', async (_name, env) => {
  await assumeRole(sts.url, env)
  expect(sts.calls).toHaveLength(1)
})

describe('an error names the proxy, is an outage and no refusal of the role:', () => {
  test.each([
    ['forbids the host', 403, 'PROXY_ANSWERED_403'],
    ['wants other credentials', 407, 'PROXY_ANSWERED_407'],
    ['cannot reach it', 502, 'PROXY_ANSWERED_502'],
    ['answers with a redirect', 302, 'PROXY_ANSWERED_302'],
  ])('the proxy %s', async (_name, status, code) => {
    proxy.refusal = status
    const cause = await failureOf({ HTTPS_PROXY: proxyUrl() })
    expect(awsErrorFacts(cause)).toMatchObject({ code, proxy: `127.0.0.1:${proxy.port}`, status: undefined })
    const { code: jetonCode, reason } = stsFailure(cause, ROLE)
    expect(jetonCode).toBe('temporarily_unavailable')
    expect(reason).toContain(`${code} through the proxy 127.0.0.1:${proxy.port}`)
    expect(`${reason}${cause.stack}`).not.toContain('s3cret')
    expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT sts.example:443']))
  })

  test('nobody is the proxy', async () => {
    await proxy.close()
    const cause = await failureOf({ HTTPS_PROXY: proxyUrl() })
    expect(describeAwsError(cause)).toContain(`ECONNREFUSED through the proxy 127.0.0.1:${proxy.port}`)
    expect(stsFailure(cause, ROLE).code).toBe('temporarily_unavailable')
  })

  test('its name is unknown', async () => {
    const cause = await failureOf({ HTTPS_PROXY: 'http://user:s3cret@proxy.invalid:3128' })
    expect(describeAwsError(cause)).toMatch(
      /(ENOTFOUND|EAI_AGAIN|TimeoutError) through the proxy proxy\.invalid:3128$/,
    )
  })

  test('it hangs up', async () => {
    const { port, close } = await startServer(socket => socket.once('data', () => socket.end()))
    const cause = await failureOf({ HTTPS_PROXY: `http://127.0.0.1:${port}` })
    expect(describeAwsError(cause)).toBe(`TimeoutError ECONNRESET through the proxy 127.0.0.1:${port}`)
    expect(stsFailure(cause, ROLE).code).toBe('temporarily_unavailable')
    close()
  })

  test('wrong credentials for an endpoint of http', async () => {
    const cause = await failureOf({ HTTP_PROXY: proxyUrl('user:wrong@') }, PLAIN)
    expect(stsFailure(cause, ROLE).code).toBe('temporarily_unavailable')
  })
})

describe('a proxy that takes connections and says nothing', () => {
  test.each(['http', 'https'])('of %s is named, and its connections are closed', async scheme => {
    const open = new Set<Socket>()
    const { port, close } = await startServer(socket => {
      open.add(socket)
      socket.resume().on('close', () => open.delete(socket))
    })
    const cause = await failureOf({ HTTPS_PROXY: `${scheme}://127.0.0.1:${port}` })
    expect(describeAwsError(cause)).toBe(`TimeoutError through the proxy 127.0.0.1:${port}`)
    await expect.poll(() => open.size).toBe(0)
    close()
  })

  test('is asked again when it answers, however many calls it has left without an answer', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', SECURE)
    const env = { HTTPS_PROXY: proxyUrl() }
    const sending = createClient(STSClient, { limits: SHORT_CALLS, clock: virtualClock(), env })
    client = sending
    const call = () =>
      sending
        .send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'orders.migrator' }))
        .then(() => expect.unreachable('STS was reached'), describeAwsError)
    proxy.isSilent = true
    // more than the client has connections
    const failures = new Set(await Promise.all(Array.from({ length: 60 }, call)))
    expect(failures).toEqual(new Set([`TimeoutError through the proxy 127.0.0.1:${proxy.port}`]))
    await expect.poll(() => proxy.connections()).toBe(0)
    proxy.isSilent = false
    expect(await call()).toContain('PROXY_ANSWERED_502 through the proxy')
  })
})

test('without a proxy the settings are the same as ever', () => {
  const requestHandler = { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true }
  for (const env of [{}, { HTTPS_PROXY: '' }, { NO_PROXY: '*' }])
    expect(createClientSettings({ limits: SHORT_CALLS, env })).toMatchObject({
      maxAttempts: 2,
      requestHandler,
    })
})

test('a variable that names no proxy is refused, not passed over', () => {
  const create = () =>
    createClientSettings({ limits: SHORT_CALLS, env: { https_proxy: 'socks5://u:s3cret@a' } })
  expect(create).toThrow(UsageError)
  expect(create).toThrow(/^https_proxy must be the URL of an HTTP proxy/)
  expect(create).not.toThrow(/s3cret/)
})
