import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LoopbackServer, listenOnLoopback } from '../../src/dev/loopback-server.ts'
import { startDevServer } from '../support/service/dev-server.ts'

/** Loaded into a process, it writes every address that the process connects to into `JETON_TEST_CONNECTIONS`. */
const WATCH_CONNECTIONS = `
import { appendFileSync } from 'node:fs'
import { Socket } from 'node:net'
const { connect } = Socket.prototype
const file = process.env.TEST_CONNECTIONS
Socket.prototype.connect = function (...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args
  appendFileSync(file, JSON.stringify([options.host ?? options.path, options.port]) + '\\n')
  return connect.apply(this, args)
}`

let folder: string
let realAws: LoopbackServer
let requests: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-test-'))
  requests = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    response.writeHead(500).end()
  })
  realAws = await listenOnLoopback(server.on('connect', (_request, socket) => socket.destroy()))
})
afterEach(async () => {
  await realAws.close()
  await rm(folder, { recursive: true })
})

/** What leads a process to AWS: each of these alone would do. */
const awsEnvironment = () => ({
  AWS_ACCESS_KEY_ID: 'AKIAREALREALREALREAL',
  AWS_SECRET_ACCESS_KEY: 'real',
  AWS_SESSION_TOKEN: 'real',
  AWS_REGION: 'eu-west-1',
  AWS_DEFAULT_REGION: 'eu-west-1',
  AWS_PROFILE: 'real',
  AWS_CONFIG_FILE: join(folder, 'config'),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
  AWS_ENDPOINT_URL: realAws.url,
  AWS_ENDPOINT_URL_STS: realAws.url,
  AWS_ENDPOINT_URL_DYNAMODB: realAws.url,
  AWS_ENDPOINT_URL_KMS: realAws.url,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${realAws.url}/credentials`,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: realAws.url,
  AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'config'),
  AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/real',
  HTTP_PROXY: realAws.url,
  HTTPS_PROXY: realAws.url,
  http_proxy: realAws.url,
  https_proxy: realAws.url,
})

const CONFIG = {
  issuers: { github: { issuer: 'https://token.actions.githubusercontent.com', audience: 'jeton' } },
  databases: {
    orders: {
      engine: 'postgres',
      host: 'orders.c9akciq32xyz.eu-west-1.rds.amazonaws.com',
      resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
      roleArn: 'arn:aws:iam::123456789012:role/jeton-orders',
      users: ['migrator'],
    },
  },
  grants: [
    {
      name: 'deploy',
      principal: { issuer: 'github', claims: { repository_id: 1 } },
      database: 'orders',
      users: ['migrator'],
    },
  ],
  store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } },
  audit: [{ type: 'dynamodb', table: 'jeton-audit' }],
}

test.each([
  ['its own configuration', undefined, 'ci'],
  ['one that has all of it at AWS', CONFIG, 'github'],
] as const)(
  'jeton serve --dev with %s calls nothing of AWS, whatever the environment has',
  async (_, config, issuer) => {
    const [configFile, connections] = [join(folder, 'jeton.json'), join(folder, 'connections')]
    await writeFile(connections, '')
    await writeFile(join(folder, 'watch.mjs'), WATCH_CONNECTIONS)
    await writeFile(
      join(folder, 'config'),
      `[profile real]\nendpoint_url = ${realAws.url}\nregion = eu-west-1\n`,
    )
    await writeFile(
      join(folder, 'credentials'),
      '[real]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n',
    )
    if (config) await writeFile(configFile, JSON.stringify(config))
    const server = await startDevServer({
      args: config ? ['--config', configFile] : [],
      cwd: folder,
      env: {
        ...awsEnvironment(),
        HOME: folder,
        TEST_CONNECTIONS: connections,
        NODE_OPTIONS: `--import=${join(folder, 'watch.mjs')}`,
      },
    })
    const { status, body } = await server.requestToken(`Bearer ${await server.jwtOf(issuer)}`, {
      database: 'orders',
    })
    await server.close()
    expect(status).toBe(200)
    expect(String(body.token)).not.toContain('AKIAREAL')
    expect(requests).toEqual([])
    const connected = (await readFile(connections, 'utf8')).trim().split('\n')
    const [, realPort] = /:(\d+)$/.exec(realAws.url) ?? []
    expect(connected.length).toBeGreaterThan(0)
    for (const line of connected) {
      const [host, port] = JSON.parse(line)
      expect(host).toBe('127.0.0.1')
      expect(String(port)).not.toBe(realPort)
    }
  },
)
