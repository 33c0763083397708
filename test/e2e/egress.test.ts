import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listenOnLoopback } from '../../src/dev/loopback-server.ts'
import { startDynamodb } from '../support/aws/dynamodb.ts'
import { startKms } from '../support/aws/kms.ts'
import { startS3 } from '../support/aws/s3.ts'
import { type EgressProxyServer, startEgressProxy } from '../support/egress/egress-proxy.ts'
import { startTlsFront } from '../support/egress/tls-front.ts'
import { githubLog } from '../support/job-log.ts'
import { apiGatewayEvent } from '../support/lambda/events/events.ts'
import { deployFunction, startLambda } from '../support/lambda/runtime.ts'
import { PEM, RDS_HOST, startApiStub } from '../support/service/api-stub.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

/** Hosts that only the proxy knows. */
const HOSTS = ['issuer.example', 'sts.example', 'dynamodb.example', 'kms.example', 'acme-config.s3.example']
const ISSUER = 'https://issuer.example'
const PASSWORD = 's3cret'

let environment: TestEnvironment
let jeton: Jeton | undefined
let closables: { close(): Promise<unknown> }[]

beforeEach(async () => {
  environment = await startTestEnvironment()
  closables = [environment]
})
afterEach(async () => {
  await jeton?.close()
  jeton = undefined
  await Promise.all(closables.map(each => each.close()))
})

function closeAfterwards<T extends { close(): Promise<unknown> }>(closable: T): T {
  closables.push(closable)
  return closable
}

/** An issuer of https, with the keys of the environment's. */
async function startSecureIssuer(): Promise<number> {
  const { certPem, keyPem } = environment.authority.issue(HOSTS)
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    const isKeys = request.url === '/keys.json'
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify(
        isKeys ? environment.issuer.jwks() : { issuer: ISSUER, jwks_uri: `${ISSUER}/keys.json` },
      ),
    )
  })
  const { port, close } = await listenOnLoopback(server as never)
  closables.push({ close })
  return port
}

async function front(url: string): Promise<number> {
  return closeAfterwards(await startTlsFront(url, environment.authority.issue(HOSTS))).port
}

/** A proxy that knows a secure issuer and a secure STS, and `routes` besides. */
async function startProxy(
  routes: Readonly<Record<string, number>> = {},
  { isSecure = false } = {},
): Promise<EgressProxyServer> {
  const known = {
    'issuer.example:443': await startSecureIssuer(),
    'sts.example:443': await front(environment.sts.url),
    ...routes,
  }
  const tls = isSecure ? { tls: environment.authority.issue(['127.0.0.1']) } : {}
  return closeAfterwards(await startEgressProxy({ routes: known, credentials: `user:${PASSWORD}`, ...tls }))
}

const serverEnv = (): Record<string, string> => ({
  ...environment.serverEnv,
  AWS_ENDPOINT_URL_STS: 'https://sts.example',
  NODE_EXTRA_CA_CERTS: environment.caFile,
})
const proxyUrl = ({ port }: { port: number }, { scheme = 'http', password = PASSWORD } = {}) =>
  `${scheme}://user:${password}@127.0.0.1:${port}`
const config = (sections: object = {}) =>
  environment.config({
    issuers: { ci: { issuer: ISSUER, audience: 'jeton', tenancy: 'private' } },
    ...sections,
  })
const bearer = async () => `Bearer ${await environment.issuer.sign({ ...CLAIMS, iss: ISSUER })}`
const tunnelsOf = (proxy: EgressProxyServer) => [...new Set(proxy.requests)].sort()

function written(): string {
  return [...(jeton?.stdout ?? []), ...(jeton?.stderr ?? [])].join('\n')
}

describe('a server whose hosts only a proxy can reach', () => {
  test('vends tokens through it, with its configuration in S3, its store in DynamoDB and its keys in KMS', async () => {
    const [dynamodb, kms, s3] = await Promise.all([startDynamodb(), startKms(), startS3()])
    for (const each of [dynamodb, kms, s3]) closeAfterwards(each)
    const proxy = await startProxy({
      'dynamodb.example:443': await front(dynamodb.url),
      'kms.example:443': await front(kms.url),
      'acme-config.s3.example:443': await front(s3.url),
    })
    const store = { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: kms.addKey() } }
    const audit = [{ type: 'dynamodb', table: 'jeton-audit' }]
    s3.put('acme-config/jeton.yaml', JSON.stringify(config({ store, audit })))
    jeton = await startJeton({
      config: {},
      args: ['--config', 's3://acme-config/jeton.yaml?owner=123456789012'],
      env: {
        ...serverEnv(),
        AWS_ENDPOINT_URL_DYNAMODB: 'https://dynamodb.example',
        AWS_ENDPOINT_URL_KMS: 'https://kms.example',
        AWS_ENDPOINT_URL_S3: 'https://s3.example',
        HTTPS_PROXY: proxyUrl(proxy),
      },
    })
    const { status, body } = await jeton.requestToken(await bearer(), { database: 'orders' })
    expect([status, body.database]).toEqual([200, 'orders'])
    expect(tunnelsOf(proxy)).toEqual(HOSTS.map(host => `CONNECT ${host}:443`).sort())
    expect((await dynamodb.items('jeton-audit')).length).toBeGreaterThan(0)
    expect(await jeton.logged('egress_proxy')).toContain(`"proxy":"127.0.0.1:${proxy.port}"`)
    expect(written()).not.toContain(PASSWORD)
  })

  test('may reach it over TLS', async () => {
    const proxy = await startProxy({}, { isSecure: true })
    const env = { ...serverEnv(), https_proxy: proxyUrl(proxy, { scheme: 'https' }) }
    jeton = await startJeton({ config: config(), env })
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
    expect(tunnelsOf(proxy)).toEqual(['CONNECT issuer.example:443', 'CONNECT sts.example:443'])
  })

  test('sends requests to http in absolute form', async () => {
    const proxy = await startProxy({ 'sts.example:8000': Number(new URL(environment.sts.url).port) })
    const env = {
      ...serverEnv(),
      AWS_ENDPOINT_URL_STS: 'http://sts.example:8000',
      HTTPS_PROXY: proxyUrl(proxy),
      HTTP_PROXY: proxyUrl(proxy),
    }
    jeton = await startJeton({ config: config(), env })
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
    expect(tunnelsOf(proxy)).toEqual(['CONNECT issuer.example:443', 'POST http://sts.example:8000/'])
  })

  test('gets its own role by a web identity through it, and that of ECS without it', async () => {
    const proxy = await startProxy()
    const folder = environment.folder
    await writeFile(join(folder, 'jwt'), 'a.b.c')
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...env } = serverEnv()
    const webIdentity = {
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'jwt'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/jeton',
    }
    jeton = await startJeton({
      config: config(),
      env: { ...env, ...webIdentity, HTTPS_PROXY: proxyUrl(proxy) },
    })
    await jeton.requestToken(await bearer(), { database: 'orders' })
    // the stand-in knows only AssumeRole, so what counts is that it was asked
    expect(proxy.requests).toContain('CONNECT sts.example:443')
    expect(environment.sts.requests()).toBeGreaterThan(0)
    await jeton.close()

    const stub = closeAfterwards(await startApiStub())
    const { accessKeyId, secretAccessKey } = environment.sts.credentials
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    stub.answers = [
      {
        body: {
          AccessKeyId: accessKeyId,
          SecretAccessKey: secretAccessKey,
          Token: 'x',
          Expiration: expiresAt,
        },
      },
    ]
    const container = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${stub.url}/v1/credentials` }
    const both = { HTTPS_PROXY: proxyUrl(proxy), HTTP_PROXY: proxyUrl(proxy) }
    jeton = await startJeton({ config: config(), env: { ...env, ...container, ...both } })
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
    expect(new Set(stub.requests.map(({ path }) => path))).toEqual(new Set(['/v1/credentials']))
    expect(proxy.requests.join()).not.toContain('/v1/credentials')
  })
})

describe('without the proxy', () => {
  test('goes what NO_PROXY names, and what is on this machine', async () => {
    const proxy = await startProxy()
    const env = {
      ...environment.serverEnv,
      HTTPS_PROXY: proxyUrl(proxy),
      HTTP_PROXY: proxyUrl(proxy),
      NO_PROXY: 'issuer.example',
    }
    jeton = await startJeton({ config: environment.config(), env })
    const authorization = `Bearer ${await environment.issuer.sign(CLAIMS)}`
    expect((await jeton.requestToken(authorization, { database: 'orders' })).status).toBe(200)
    await jeton.close()
    jeton = await startJeton({ config: config(), env })
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(503)
    expect(await jeton.logged('issuer_keys_unavailable')).toContain('issuer.example cannot be reached (')
    expect(proxy.requests).toEqual([])
  })

  test('nothing that proxies need is loaded', async () => {
    const loadedWith = async (env: Record<string, string>) => {
      const folder = await mkdtemp(join(tmpdir(), 'jeton-coverage-'))
      const server = await startJeton({ config: config(), env: { ...env, NODE_V8_COVERAGE: folder } })
      await server.requestToken(await bearer(), { database: 'orders' })
      await server.close()
      const files = await Promise.all(
        (await readdir(folder)).map(name => readFile(join(folder, name), 'utf8')),
      )
      await rm(folder, { recursive: true })
      return ['node_modules/undici/', 'node_modules/https-proxy-agent/'].filter(name =>
        files.join().includes(name),
      )
    }
    const proxy = await startProxy()
    expect(await loadedWith(serverEnv())).toEqual([])
    expect(await loadedWith({ ...serverEnv(), HTTPS_PROXY: proxyUrl(proxy) })).toHaveLength(2)
  })
})

describe('the log of a server names a proxy that fails, without its password:', () => {
  test.each([
    ['wrong credentials', { password: 'wrong-s3cret' }, undefined, 'PROXY_ANSWERED_407'],
    ['a host that it forbids', {}, 403, 'PROXY_ANSWERED_403'],
  ])('%s', async (_name, options, refusal, code) => {
    const proxy = await startProxy()
    proxy.refusal = refusal
    const env = { ...serverEnv(), HTTPS_PROXY: proxyUrl(proxy, options) }
    jeton = await startJeton({ config: config(), env })
    const { status, body } = await jeton.requestToken(await bearer(), { database: 'orders' })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(await jeton.logged('issuer_keys_unavailable')).toContain(
      `issuer.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (${code})`,
    )
    expect(written()).not.toContain(PASSWORD)
  })

  test('for STS, where it is an outage and no refusal of the role', async () => {
    const proxy = await startProxy()
    const env = { ...environment.serverEnv, AWS_ENDPOINT_URL_STS: 'https://sts.example' }
    proxy.refusal = 403
    jeton = await startJeton({ config: environment.config(), env: { ...env, HTTPS_PROXY: proxyUrl(proxy) } })
    const authorization = `Bearer ${await environment.issuer.sign(CLAIMS)}`
    const { status, body } = await jeton.requestToken(authorization, { database: 'orders' })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(await jeton.logged('assume_role_failed')).toContain(
      `PROXY_ANSWERED_403 through the proxy 127.0.0.1:${proxy.port}`,
    )
    expect(written()).not.toContain(PASSWORD)
  })
})

test('a variable that names no proxy is told at the start and by check, without its value', async () => {
  const path = join(environment.folder, 'jeton.json')
  await writeFile(path, JSON.stringify(environment.config()))
  const env = { ...environment.serverEnv, HTTPS_PROXY: `socks5://user:${PASSWORD}@proxy.example` }
  const problem = 'HTTPS_PROXY: must be the URL of an HTTP proxy, such as http://proxy.example.com:3128'
  for (const command of ['check', 'serve']) {
    const { code, stdout, stderr } = await runCli([command, '--config', path], { env })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(problem)
    expect(stderr).not.toContain(PASSWORD)
  }
})

test('the function on Lambda goes through a proxy too, and says which variable names none', async () => {
  const deployed = await deployFunction()
  const proxy = await startProxy()
  await deployed.put('jeton.yaml', JSON.stringify(config({ audit: [{ type: 'stdout' }] })))
  const request = async () =>
    apiGatewayEvent({ headers: { authorization: await bearer() }, body: '{"database":"orders"}' })
  const lambda = await startLambda(deployed, { env: { ...serverEnv(), HTTPS_PROXY: proxyUrl(proxy) } })
  closables.push(lambda, { close: deployed.remove })
  const reply = await lambda.invoke(await request())
  expect([reply.statusCode, JSON.parse(reply.body).database]).toEqual([200, 'orders'])
  expect(tunnelsOf(proxy)).toEqual(['CONNECT issuer.example:443', 'CONNECT sts.example:443'])

  const broken = await startLambda(deployed, {
    env: { ...serverEnv(), https_proxy: `http://u:${PASSWORD}@` },
  })
  closables.push(broken)
  expect((await broken.invoke(await request())).statusCode).toBe(503)
  await expect.poll(() => broken.stderr.join('\n')).toContain('"problems":[{"path":"https_proxy"')
  expect([...lambda.stderr, ...broken.stderr].join('\n')).not.toContain(PASSWORD)
})

describe("a caller's command", () => {
  const TOKEN_REPLY = {
    token: `${RDS_HOST}:5432/?Action=connect`,
    database: 'orders',
    engine: 'postgres',
    host: RDS_HOST,
    port: 5432,
    user: 'migrator',
    region: 'us-east-1',
    ca: { pem: PEM, tlsMode: 'verify-full' },
  }

  async function startCallers() {
    const api = closeAfterwards(await startApiStub())
    const github = closeAfterwards(await startApiStub())
    api.answers = [{ body: TOKEN_REPLY }]
    github.answers = [{ body: { value: 'aaa.bbb.ccc' } }]
    const proxy = await startProxy({
      'jeton.example:443': closeAfterwards(
        await startTlsFront(api.url, environment.authority.issue(['jeton.example'])),
      ).port,
      'github.example:443': closeAfterwards(
        await startTlsFront(github.url, environment.authority.issue(['github.example'])),
      ).port,
    })
    const env = {
      NODE_EXTRA_CA_CERTS: environment.caFile,
      JETON_URL: 'https://jeton.example/base/',
      GITHUB_ACTIONS: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://github.example/token?v=1',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
    }
    return { api, github, proxy, env }
  }

  test('reaches the server and GitHub through the proxy, and leaves it to the command that it runs', async () => {
    const { api, github, proxy, env } = await startCallers()
    const proxied = { ...env, HTTPS_PROXY: proxyUrl(proxy), NO_PROXY: 'x.example' }
    const program = 'process.stdout.write(JSON.stringify([process.env.HTTPS_PROXY, process.env.NO_PROXY]))'
    const result = await runCli(['exec', 'orders', '--', process.execPath, '-e', program], { env: proxied })
    expect({ ...result, stderr: githubLog(result.stderr) }).toEqual({
      code: 0,
      stdout: JSON.stringify([proxied.HTTPS_PROXY, 'x.example']),
      stderr: '',
    })
    expect(proxy.requests).toEqual(['CONNECT github.example:443', 'CONNECT jeton.example:443'])
    expect(github.requests[0]?.authorization).toBe('Bearer request-token')
    expect(api.requests).toMatchObject([{ path: '/base/v1/tokens', authorization: 'Bearer aaa.bbb.ccc' }])
  })

  test('names a proxy that fails, and a variable that names none', async () => {
    const { proxy, env } = await startCallers()
    const run = (value: string) => runCli(['token', 'orders'], { env: { ...env, HTTPS_PROXY: value } })
    const refused = await run(proxyUrl(proxy, { password: 'wrong-s3cret' }))
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: `jeton: cannot get GitHub Actions' OIDC token: github.example cannot be reached through the proxy 127.0.0.1:${proxy.port} (PROXY_ANSWERED_407): the proxy asks for a user and a password, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT\n`,
    })
    const { code, stderr } = await run(`http://user:${PASSWORD}/x@proxy.example`)
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('jeton: HTTPS_PROXY is not the URL of a proxy'),
    ])
    expect(stderr).not.toContain(PASSWORD)
  })
})
