import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { VendedToken } from '../../../../src/client/library/types.ts'
import type { ProtocolParts } from '../../../../src/client/proxy/protocol.ts'
import { SessionError, type SessionFailure } from '../../../../src/client/proxy/session-error.ts'
import { dial } from '../../../../src/client/wire/dial.ts'
import { encodeMessage } from '../../../../src/client/wire/postgres-messages.ts'
import { openSecureChannel } from '../../../../src/client/wire/secure-channel.ts'
import { createAuthority } from '../../../../src/dev/postgres/certificate-authority.ts'
import { systemClock } from '../../../../src/lib/clock.ts'
import type { RealDatabase } from '../../../support/databases/database.ts'
import { canRun } from '../../../support/databases/install.ts'
import { startPostgres } from '../../../support/databases/postgres.ts'
import { run } from '../../../support/run.ts'
import { type LocalProxy, startLocalProxy } from './local-proxy.ts'
import { GSSENC_REQUEST, SERVER, SSL_REQUEST, startupMessage, TOKEN } from './messages.ts'
import { VENDED } from './support.ts'

const authority = createAuthority()
let database: RealDatabase
let local: LocalProxy
let token: VendedToken
let failure: SessionFailure | undefined
/** The addresses that were asked for. */
const asked: (string | undefined)[] = []

const parts: ProtocolParts = {
  callerName: 'repo:acme/orders',
  logIn: attempt =>
    failure === undefined
      ? attempt(token)
      : Promise.reject(new SessionError('away for an hour', { failure })),
  getToken: async () => token,
  dial(_token, { address }) {
    asked.push(address)
    const options = { addresses: [address ?? '127.0.0.1'], port: database.port, timeoutMs: 5000 }
    return dial({ ...options, clock: systemClock(), allowHalfOpen: true })
  },
  secure: ({ socket }, { host, ca }) => openSecureChannel(socket, { host, ca: ca.pem }),
}

const ENV = () => ({ PGHOST: local.folder, PGUSER: 'grafana', PGDATABASE: 'orders' })
const psql = (sql: string, env: Record<string, string> = {}) =>
  run('psql', ['-XAtc', sql], { env: { ...ENV(), ...env } })

/** Sends bytes one by one, and returns what the client is sent until the server is ready, or closes. */
async function sendRaw(bytes: Buffer): Promise<string> {
  const socket = connect(local.path)
  for (const byte of bytes) socket.write(Buffer.from([byte]))
  let received = ''
  for await (const chunk of socket.setEncoding('latin1')) {
    received += chunk
    if (received.endsWith('Z\0\0\0\x05I')) break
  }
  return received
}

describe.runIf(await canRun(['postgres', 'psql']))('against a real PostgreSQL', () => {
  beforeAll(async () => {
    database = await startPostgres({
      authority,
      hosts: [VENDED.host],
      users: ['app_rw'],
      check: login =>
        login.token === TOKEN ? { ok: true, identity: login.user } : { ok: false, reason: 'not the token' },
    })
    local = await startLocalProxy(parts)
  })
  afterEach(() => {
    token = { ...VENDED, ca: { pem: authority.caPem } }
    failure = undefined
    asked.length = 0
  })
  beforeAll(() => {
    token = { ...VENDED, ca: { pem: authority.caPem } }
  })
  afterAll(async () => {
    await local?.close()
    await database?.close()
  })

  test('psql is logged in as the granted user, over TLS, under its own name', async () => {
    const { stdout, stderr } = await psql(
      "SELECT session_user, current_database(), ssl, current_setting('application_name') FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
      { PGSSLMODE: 'require', PGCLIENTENCODING: 'LATIN1' },
    )
    expect({ stdout, stderr }).toEqual({ stdout: 'app_rw|orders|t|psql\n', stderr: '' })
  })

  test('a program without a name has the caller’s', async () => {
    const client = new pg.Client({
      host: local.folder,
      user: 'x',
      database: 'orders',
      options: '-c work_mem=7MB',
    })
    await client.connect()
    const { rows } = await client.query(
      "SELECT current_setting('application_name') AS name, current_setting('work_mem') AS mem",
    )
    await client.end()
    expect(rows).toEqual([{ name: 'repo:acme/orders', mem: '7MB' }])
  })

  test('a program that names itself in its options keeps that name', async () => {
    const client = new pg.Client({
      host: local.folder,
      user: 'x',
      database: 'orders',
      options: '-c application_name=etl',
    })
    await client.connect()
    const { rows } = await client.query("SELECT current_setting('application_name') AS name")
    await client.end()
    expect(rows).toEqual([{ name: 'etl' }])
  })

  test.each([
    ['TLS, then GSSAPI', [SSL_REQUEST, GSSENC_REQUEST]],
    ['GSSAPI, then TLS', [GSSENC_REQUEST, SSL_REQUEST]],
  ])('requests for %s and a startup message, byte by byte', async (_, requests) => {
    const received = await sendRaw(
      Buffer.concat([...requests, startupMessage(['user', 'x', 'database', 'orders'])]),
    )
    expect(received.slice(0, 11)).toBe(`NN${SERVER.ok.toString('latin1')}`)
  })

  test('a newer client is answered in which version the server speaks', async () => {
    const texts = ['user', 'x', 'database', 'orders', '_pq_.greatness', 'on']
    const received = await sendRaw(startupMessage(texts, (3 << 16) | 2))
    // what the server does not know of the protocol it names itself, so it came through
    const ok = SERVER.ok.toString('latin1')
    expect(received.split(ok)[0]).toMatch(/^v.*_pq_\.greatness.$/s)
  })

  test('a client that does not wait for its login, with more than is kept of it', async () => {
    const query = encodeMessage('Q', Buffer.from(`SELECT length('${'x'.repeat(1_000_000)}')\0`))
    const socket = connect(local.path)
    socket.write(
      Buffer.concat([
        startupMessage(['user', 'x', 'database', 'orders']),
        query,
        encodeMessage('X', Buffer.alloc(0)),
      ]),
    )
    let received = ''
    for await (const chunk of socket.setEncoding('latin1')) received += chunk
    expect(received).toContain('1000000')
  })

  test('Ctrl-C in psql cancels its query, at the address of its session', async () => {
    const child = spawn('psql', ['-XAtc', "SELECT 'to be cancelled', pg_sleep(300)"], {
      env: { PATH: process.env.PATH, LC_ALL: 'C', ...ENV() },
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', chunk => {
      stderr += chunk
    })
    const sql = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT ''to be%'"
    await expect.poll(() => database.admin(sql), { timeout: 10_000 }).toHaveLength(1)
    child.kill('SIGINT')
    await once(child, 'close')
    expect(stderr).toContain('ERROR:  canceling statement due to user request')
    expect(asked).toEqual([undefined, '127.0.0.1'])
  })

  test('a database that does not exist, after the login', async () => {
    const { stderr, code } = await psql('SELECT 1', { PGDATABASE: 'nowhere' })
    expect(stderr).toMatch(/FATAL: {2}database "nowhere" does not exist\n$/)
    expect(code).toBe(2)
  })

  test('a token that is refused: in the words of the database', async () => {
    token = { ...token, token: 'no token' }
    const { stderr } = await psql('SELECT 1')
    expect(stderr).toMatch(/FATAL: {2}LDAP authentication failed for user "app_rw"\n$/)
    expect(local.errors.at(-1)).toMatchObject({ failure: 'database', cause: { code: '28000' } })
  })

  test('a user with a password of its own gets no token', async () => {
    token = { ...token, user: database.outsider.user }
    const { stderr } = await psql('SELECT 1')
    expect(stderr).toMatch(
      /FATAL: {2}jeton proxy: the server asks for a SCRAM password and not for a token: /,
    )
    expect(database.logins.some(({ user }) => user === database.outsider.user)).toBe(false)
  })

  test('a server of another name gets nothing', async () => {
    token = { ...token, host: 'other.example.com' }
    const before = database.logins.length
    const { stderr } = await psql('SELECT 1')
    expect(stderr).toMatch(/FATAL: {2}jeton proxy: the certificate of orders does not verify /)
    expect(database.logins).toHaveLength(before)
  })

  test('replication is refused, but not a connection that wants none', async () => {
    const wants = (replication: string) =>
      run('psql', ['-XAtc', 'SELECT 1', `replication=${replication}`], { env: { PGHOST: local.folder } })
    expect((await wants('database')).stderr).toMatch(
      /FATAL: {2}jeton proxy: there is no replication: RDS refuses it to whoever logs in with a token\n$/,
    )
    const { stdout } = await psql('SELECT 1', {})
    expect(stdout).toBe('1\n')
    expect(
      (await run('psql', ['-XAtc', 'SELECT 1', 'replication=off user=x dbname=orders'], { env: ENV() }))
        .stdout,
    ).toBe('1\n')
  })

  test.each<[SessionFailure, number, string]>([
    ['unavailable', 1, 'rejecting connections'],
    ['ending', 1, 'rejecting connections'],
    ['refused', 0, 'accepting connections'],
    ['too_many', 0, 'accepting connections'],
  ])('%s: pg_isready returns %i, and psql shows the sentence', async (kind, code, words) => {
    failure = kind
    const ready = await run('pg_isready', ['-h', local.folder])
    expect({ code: ready.code, words: ready.stdout.trim().split(' - ')[1] }).toEqual({ code, words })
    expect((await psql('SELECT 1')).stderr).toMatch(/FATAL: {2}jeton proxy: away for an hour\n$/)
  })
})
