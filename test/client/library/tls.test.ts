import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { createConnection as connectMariadb } from 'mariadb'
import { createConnection as connectMysql2, createPool as createMysql2Pool } from 'mysql2/promise'
import pg from 'pg'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { databaseUrl } from '../../../src/client/forms/uri.ts'
import { createTokensWith } from '../../../src/client/library/tokens.ts'
import type { Tokens } from '../../../src/client/library/types.ts'
import { createNodeSend } from '../../../src/client/node-http.ts'
import type { TokenReply } from '../../../src/client/token-reply.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { type ApiStub, RDS_HOST, sampleReply, startApiStub } from '../../support/service/api-stub.ts'
import { listen, startMysqlImpostor, startPlainMysqlImpostor, startPostgresImpostor } from './impostors.ts'

/** Another server's certificate of the very same CA: who has it must not be sent a token. */
const authority = createAuthority()
const OTHER = authority.issue(['other.c9akciq32xyz.us-east-1.rds.amazonaws.com', 'localhost'])
const OWN = authority.issue([RDS_HOST])

let api: ApiStub
let clock: VirtualClock
beforeEach(async () => {
  clock = virtualClock()
  api = await startApiStub()
})
afterEach(() => api.close())

const replyOf = (engine: string, port: number, { caPem } = authority) =>
  sampleReply({ engine, connect: `localhost:${port}`, ca: { pem: caPem } })

function tokensOf(engine: string, port: number): Tokens {
  api.answers = [{ body: replyOf(engine, port) }]
  const options = { database: 'orders', url: api.url, credential: 'ApiKey secret' }
  return createTokensWith(options, { env: {}, clock, monotonic: clock, send: createNodeSend() })
}

test('pg sends a token to the server of RDS, through a tunnel with another name', async () => {
  const server = await startPostgresImpostor(OWN)
  const client = new pg.Client(await tokensOf('postgres', server.port).pg())
  client.on('error', () => {})
  client.connect().catch(() => {})
  await expect.poll(server.received).toContain('X-Amz-Signature')
  await client.end()
})

test('pg sends none to a server with the certificate of another, even if it is dialled by that name', async () => {
  const server = await startPostgresImpostor(OTHER)
  const client = new pg.Client(await tokensOf('postgres', server.port).pg())
  client.on('error', () => {})
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  expect(server.received()).toBe('')
})

const MYSQL_DRIVERS: [string, (tokens: Tokens) => Promise<{ end(): Promise<void> }>][] = [
  ['mysql2', async tokens => connectMysql2({ ...(await tokens.mysql2()), connectTimeout: 1000 })],
  ['mariadb', async tokens => connectMariadb({ ...(await tokens.mariadb()), connectTimeout: 1000 })],
]

test.each(MYSQL_DRIVERS)('%s sends a token to the server of RDS, through a tunnel', async (_, connect) => {
  const server = await startMysqlImpostor(OWN)
  connect(tokensOf('mariadb', server.port)).catch(() => {})
  await expect.poll(server.received).toContain('X-Amz-Signature')
})

test.each(MYSQL_DRIVERS)('%s sends none to a server with the certificate of another', async (_, connect) => {
  const server = await startMysqlImpostor(OTHER)
  await expect(connect(tokensOf('mariadb', server.port))).rejects.toThrow('does not match certificate')
  expect(server.received()).toBe('')
})

const UNCHECKED = 'no token is sent without TLS and a check'

test.each([
  ['any certificate', { rejectUnauthorized: false }],
  ['any name', { ca: authority.caPem, checkServerIdentity: () => undefined }],
])('pg sends none to a server with the certificate of another, though its user wants %s', async (_, ssl) => {
  const server = await startPostgresImpostor(OTHER)
  const client = new pg.Client({ ...(await tokensOf('postgres', server.port).pg()), ssl })
  client.on('error', () => {})
  await expect(client.connect()).rejects.toThrow(UNCHECKED)
  expect(server.received()).not.toContain('X-Amz-Signature')
})

test('pg sends none without TLS', async () => {
  const { password } = await tokensOf('postgres', 1).pg()
  const client = { connection: new EventEmitter(), ssl: false }
  await expect(password.call(client)).rejects.toThrow(UNCHECKED)
})

test.each([
  ['no TLS', false],
  ['any certificate', { rejectUnauthorized: false }],
  ['any name', { ca: authority.caPem, checkServerIdentity: () => undefined }],
])('mariadb sends none, though its user wants %s', async (_, ssl) => {
  const server = await startMysqlImpostor(OTHER)
  const options = { ...(await tokensOf('mariadb', server.port).mariadb()), ssl }
  await expect(connectMariadb(options)).rejects.toThrow(UNCHECKED)
  expect(server.received()).not.toContain('X-Amz-Signature')
})

test.each<[string, (tokens: Tokens) => Promise<() => Promise<unknown>>]>([
  [
    'mysql2',
    async tokens => {
      const pool = createMysql2Pool(await tokens.mysql2())
      return () => pool.query('SELECT 1')
    },
  ],
  [
    'mariadb',
    async tokens => {
      const options = await tokens.mariadb()
      return () => connectMariadb(options)
    },
  ],
  [
    'pg',
    async tokens => {
      const pool = new pg.Pool(await tokens.pg())
      return () => pool.query('SELECT 1')
    },
  ],
])(
  'what was made for %s before the database had another CA trusts it once a token came with that',
  async (name, make) => {
    const server = await (name === 'pg' ? startPostgresImpostor : startMysqlImpostor)(OWN)
    const engine = name === 'pg' ? 'postgres' : 'mariadb'
    const tokens = tokensOf(engine, server.port)
    api.answers = [
      { body: replyOf(engine, server.port, createAuthority()) },
      { body: replyOf(engine, server.port) },
    ]
    const logIn = await make(tokens)
    await expect(logIn()).rejects.toThrow(/certificate/)
    await clock.advance(10 * 60_000)
    await tokens.get()
    logIn().catch(() => {})
    await expect.poll(server.received).toContain('X-Amz-Signature')
  },
)

/** A TLS connection as mysql2 makes one, whose own check of the certificate can be switched off. */
async function secureStream({ certPem: cert, keyPem: key }: typeof OTHER, session?: Buffer) {
  const port = await listen(createTlsServer({ cert, key }, socket => void socket.on('error', () => {})))
  const stream = connectTls({ port, ca: authority.caPem, checkServerIdentity: () => undefined, session })
  onTestFinished(() => void stream.destroy())
  await new Promise<unknown>((resolve, reject) => stream.once('secureConnect', resolve).once('error', reject))
  return stream
}

const CHECKED = { host: RDS_HOST, ssl: { verifyIdentity: true } }

async function answerOf(stream: unknown, config: object = CHECKED): Promise<string> {
  const { authPlugins } = await tokensOf('mysql', 1).mysql2()
  const answer = authPlugins.mysql_clear_password({ connection: { stream, config }, command: undefined })
  return answer().then(String)
}

test('mysql2 sends a token over TLS to a server whose certificate is that of RDS', async () => {
  expect(await answerOf(await secureStream(OWN))).toMatch(/^orders\..*X-Amz-Signature=.*\0$/)
})

test.each<[string, () => Promise<Socket>, object | undefined]>([
  ['without TLS', async () => new (await import('node:net')).Socket(), undefined],
  ['with the certificate of another', () => secureStream(OTHER), undefined],
  ['whose name is not checked', () => secureStream(OWN), { host: RDS_HOST, ssl: { verifyIdentity: false } }],
  ['dialled by another name', () => secureStream(OWN), { host: 'localhost', ssl: { verifyIdentity: true } }],
])('mysql2 sends none to a server %s', async (_, connect, config) => {
  await expect(answerOf(await connect(), config)).rejects.toMatchObject({
    name: 'TokenError',
    message: expect.stringContaining('no token is sent'),
  })
})

test('mysql2 sends none to a server that speaks no TLS, though its user switched TLS off', async () => {
  const { port, received } = await startPlainMysqlImpostor()
  const { ssl: _, ...options } = await tokensOf('mysql', port).mysql2()
  await expect(connectMysql2(options)).rejects.toThrow('no token is sent without TLS')
  expect(received()).not.toContain('X-Amz-Signature')
})

test.each([
  ['mysql2', 'mysql:', connectMysql2, 'enableCleartextPlugin'],
  ['mariadb', 'mariadb:', connectMariadb, 'requires TLS'],
])(
  '%s sends none if all it has is DATABASE_URL, which makes it check nothing',
  async (_, scheme, connect, reason) => {
    const error = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => error.mockRestore())
    const { port, received } = await startPlainMysqlImpostor()
    const reply = sampleReply({
      engine: 'mysql',
      host: '127.0.0.1',
      port,
      dbname: 'shop',
    }) as unknown as TokenReply
    const url = databaseUrl({ reply, caFile: '/ca.pem' }).replace('mysql:', scheme)
    await expect(connect(url)).rejects.toThrow(reason)
    expect(received()).toContain('mysql_native_password')
    expect(received()).not.toContain('X-Amz-Signature')
  },
)
