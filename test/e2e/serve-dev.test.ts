import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEV_API_KEY } from '../../src/dev/built-in-config.ts'
import { hasProgram } from '../support/databases/install.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { run } from '../support/run.ts'
import { type DevServer, type DevServerOptions, startDevServer } from '../support/service/dev-server.ts'
import { CLI, runCli } from '../support/service/jeton.ts'

const hasCurl = await hasProgram('curl')

let folder: string
let servers: DevServer[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.close()
  await rm(folder, { recursive: true })
})

/** Starts a server whose current and temporary folders are the test's. */
async function start(options: Omit<DevServerOptions, 'cwd'> = {}): Promise<DevServer> {
  const server = await startDevServer({ ...options, cwd: folder, env: { TMPDIR: folder, ...options.env } })
  servers.push(server)
  return server
}

/** What a production server is configured with; none of its files is here. */
const PRODUCTION = {
  server: { port: 8443, tls: { cert: 'server.pem', key: 'server-key.pem' }, admin: { port: 0 } },
  issuers: {
    github: { issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' },
    cluster: {
      issuer: 'https://kubernetes.default.svc',
      audience: 'jeton',
      jwksFile: 'jwks.json',
      maxLifetimeSeconds: 600,
    },
  },
  databases: {
    orders: {
      engine: 'postgres',
      host: 'orders.c9akciq32xyz.eu-west-1.rds.amazonaws.com',
      resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      roleArn: 'arn:aws:iam::210987654321:role/jeton-orders',
      users: ['app_ro', 'migrator'],
    },
  },
  grants: [
    {
      name: 'tags',
      principal: {
        issuer: 'github',
        claims: { repository_id: 123456, ref: ['refs/tags/v*', 'refs/heads/main'] },
      },
      database: 'orders',
      users: ['migrator'],
    },
    {
      name: 'pods',
      principal: {
        issuer: 'cluster',
        subject: 'system:serviceaccount:orders:*',
        claims: { 'kubernetes.io': { namespace: 'orders' } },
      },
      database: 'orders',
      users: ['app_ro'],
    },
  ],
  store: { type: 'dynamodb', table: 'jeton', encryption: { keyFile: 'store.key' } },
  audit: [
    { type: 'file', path: 'audit.jsonl' },
    { type: 'dynamodb', table: 'jeton-audit' },
  ],
}

async function configure(changes: object = {}): Promise<string> {
  const file = join(folder, 'jeton.json')
  await writeFile(file, JSON.stringify({ ...PRODUCTION, ...changes }))
  return file
}

describe('jeton serve --dev with its own configuration', () => {
  test('vends a token to a JWT from the URL that it prints, and to its API key', async () => {
    const server = await start()
    const first = await server.requestToken(`Bearer ${await server.jwtOf('ci')}`, { database: 'orders' })
    expect(first).toMatchObject({ status: 200, body: { user: 'migrator', grant: 'orders-deploy' } })
    const second = await server.requestToken(`ApiKey ${DEV_API_KEY}`, { database: 'orders', user: 'app_ro' })
    expect(second).toMatchObject({ status: 200, body: { user: 'app_ro', grant: 'orders-app' } })
  })

  test('refuses a JWT with other claims, and records why', async () => {
    const server = await start()
    const jwt = await server.jwtOf('ci', { ref: 'refs/heads/feature' })
    const { status, body } = await server.requestToken(`Bearer ${jwt}`, { database: 'orders' })
    expect([status, body.code]).toEqual([403, 'access_denied'])
    await expect.poll(server.records).toContainEqual(
      expect.objectContaining({
        decision: 'refused',
        code: 'access_denied',
        reason: expect.stringContaining('ref'),
        principal: expect.objectContaining({
          claims: { repository: 'acme/orders', ref: 'refs/heads/feature' },
        }),
      }),
    )
  })

  test.runIf(hasCurl)('prints commands that work', async () => {
    const server = await start()
    await expect.poll(server.stderr).toContain('JETON_API_KEY')
    expect(await runPrinted(server)).toEqual([
      expect.objectContaining({ user: 'migrator', grant: 'orders-deploy' }),
      expect.objectContaining({ user: 'migrator', grant: 'orders-deploy', cached: true }),
      expect.objectContaining({ user: 'app_ro', grant: 'orders-app' }),
    ])
  })

  test('cannot be taken for a real server: log, records and /readyz say so', async () => {
    const server = await start()
    await server.requestToken(`Bearer ${await server.jwtOf('ci')}`, { database: 'orders' })
    await expect.poll(server.stderr).toContain('\n')
    const [warning = ''] = server.stderr().split('\n')
    expect(JSON.parse(warning)).toMatchObject({ level: 'warn', event: 'stand_ins_in_use' })
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
      status: 'ready',
      degraded: [],
      dev: true,
    })
    await expect
      .poll(() => server.records().map(({ type }) => type))
      .toEqual(['jeton.audit.started', 'jeton.audit'])
    for (const { instance } of server.records()) expect(instance).toMatch(/^dev:/)
    expect(server.records()[0]).toMatchObject({ configuration: { source: 'built in (--dev)' } })
  })

  test('logs as JETON_LOG_FORMAT says, and nothing doubtful of a reload', async () => {
    const server = await start({ env: { JETON_LOG_FORMAT: 'text' } })
    server.process.kill('SIGHUP')
    await expect.poll(server.stderr).toMatch(/^\S+ INFO {2}configuration_reloaded {2}the configuration/m)
    expect(server.stderr()).toMatch(/^\S+ WARN {2}stand_ins_in_use {2}this server/)
    expect(server.stderr()).not.toContain('configuration_doubtful')
  })

  test('writes nothing to disk', async () => {
    const server = await start()
    await server.requestToken(`Bearer ${await server.jwtOf('ci')}`, { database: 'orders' })
    expect(await readdir(folder)).toEqual([])
    await server.close()
    expect(await readdir(folder)).toEqual([])
  })
})

describe('jeton serve --dev with a configuration for production', () => {
  test('vends by its grants, without a file that it names', async () => {
    const server = await start({ args: ['--config', await configure()] })
    for (const [issuer, user, grant] of [
      ['github', 'migrator', 'tags'],
      ['cluster', 'app_ro', 'pods'],
    ] as const) {
      const jwt = await server.jwtOf(issuer)
      expect(await server.requestToken(`Bearer ${jwt}`, { database: 'orders' })).toMatchObject({
        status: 200,
        body: { user, grant, identity: expect.stringContaining(':210987654321:assumed-role/jeton-orders/') },
      })
    }
    expect(await readdir(folder)).toEqual(['jeton.json'])
    await expect.poll(server.stderr).toContain('\n')
    const { replaced } = JSON.parse(server.stderr().split('\n')[0] ?? '')
    expect(replaced).toEqual(['memory for the dynamodb store', 'stdout for the audit log (file, dynamodb)'])
  })

  test('believes no JWT but those of its stand-ins', async () => {
    const server = await start({ args: ['--config', await configure()] })
    const otherIssuer = await startIssuer()
    const claims = { iss: PRODUCTION.issuers.github.issuer, repository_id: '123456', ref: 'refs/heads/main' }
    const jwt = await otherIssuer.sign(claims)
    await otherIssuer.close()
    expect(await server.requestToken(`Bearer ${jwt}`, { database: 'orders' })).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    })
    await expect
      .poll(server.records)
      .toContainEqual(expect.objectContaining({ decision: 'refused', code: 'unauthenticated' }))
    const ofOther = await server.jwtOf('cluster', { iss: claims.iss, repository_id: '123456' })
    expect(await server.requestToken(`Bearer ${ofOther}`, { database: 'orders' })).toMatchObject({
      status: 401,
    })
  })

  test('reads it again at SIGHUP, with stand-ins for its new issuers', async () => {
    const server = await start({ args: ['--config', await configure()] })
    const gitlab = { issuer: 'https://gitlab.example.com', audience: 'jeton', tenancy: 'private' }
    const grant = {
      ...PRODUCTION.grants[0],
      name: 'gitlab',
      principal: { issuer: 'gitlab', claims: { project_id: 7 } },
    }
    await configure({ issuers: { gitlab }, grants: [grant] })
    server.process.kill('SIGHUP')
    await expect.poll(server.stderr).toContain('configuration_reloaded')
    const jwt = await (await fetch((server.jwt.github ?? '').replace('github', 'gitlab'))).text()
    expect(await server.requestToken(`Bearer ${jwt.trim()}`, { database: 'orders' })).toMatchObject({
      status: 200,
      body: { grant: 'gitlab' },
    })
  })

  test('keeps what it serves if the new one is not on loopback', async () => {
    const server = await start({ args: ['--config', await configure()] })
    await configure({ server: { ...PRODUCTION.server, host: '0.0.0.0' }, issuers: {}, grants: [] })
    server.process.kill('SIGHUP')
    await expect.poll(server.stderr).toContain('configuration_broken')
    const jwt = await server.jwtOf('github')
    expect(await server.requestToken(`Bearer ${jwt}`, { database: 'orders' })).toMatchObject({ status: 200 })
  })
})

test.runIf(hasCurl)(
  'jeton serve --dev prints commands that work, whatever the users are called',
  async () => {
    const users = ["o'brien; exit 1 #", 'app_ro']
    const orders = { ...PRODUCTION.databases.orders, users }
    const grants = [{ ...PRODUCTION.grants[1], users }]
    const server = await start({ args: ['--config', await configure({ databases: { orders }, grants })] })
    await expect.poll(server.stderr).toContain('$JETON_URL/v1/tokens')
    const replies = await runPrinted(server)
    expect(replies).toHaveLength(2)
    for (const reply of replies) expect(reply).toMatchObject({ user: users[0], grant: 'pods' })
  },
)

/** Runs the lines for another terminal in a shell, and returns what each of them printed, as JSON. */
async function runPrinted(server: DevServer): Promise<unknown[]> {
  const [, printed = ''] = server.stderr().split('A token, in another terminal:\n')
  const lines = printed.split('\n').filter(line => line.startsWith('  '))
  const jeton = `jeton() { '${process.execPath}' '${CLI}' "$@"; }`
  const { code, stdout, stderr } = await run('/bin/sh', [
    '-ec',
    [jeton, ...lines.map(line => `${line}; echo; echo ---`)].join('\n'),
  ])
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .split('---\n')
    .filter(text => text.trim() !== '')
    .map(text => JSON.parse(text))
}

describe('jeton serve --dev refuses', () => {
  const dev = (args: readonly string[], env: Record<string, string> = {}) =>
    runCli(['serve', '--dev', '--port', '0', ...args], { env, cwd: folder })

  test.each(['0.0.0.0', '192.0.2.1', '::', 'example.com', '127.0.0.1.example.com'])(
    'to listen on %s',
    async host => {
      const { code, stdout, stderr } = await dev(['--host', host])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('--dev listens on loopback alone')
    },
  )

  test('a configuration beyond loopback, with TLS too', async () => {
    const config = await configure({ server: { ...PRODUCTION.server, host: '0.0.0.0' } })
    const { code, stdout, stderr } = await dev(['--config', config])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/jeton\.json:1:\d+: error: server\.host: is not loopback/)
    expect(stderr).toContain('add --host 127.0.0.1')
    const server = await start({ args: ['--config', config, '--host', '127.0.0.1'] })
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:/)
  })

  test.each(['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT'])(
    'to run on Lambda, which sets %s',
    async name => {
      const { code, stdout, stderr } = await dev([], { [name]: 'x' })
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('never runs on Lambda')
    },
  )

  test('a configuration in S3, which it would have to ask AWS for', async () => {
    const { code, stderr } = await dev(['--config', 's3://bucket/jeton.yaml'])
    expect(code).toBe(2)
    expect(stderr).toContain('copy the configuration to a file')
  })
})
