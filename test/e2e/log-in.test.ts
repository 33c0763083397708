import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import * as mariadb from 'mariadb'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { LEDGER, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

/** The whole way: a signed JWT, HTTP to a server process, a token, and a real database that verifies it as RDS does. */
const CLAIMS = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  ref: 'refs/heads/main',
}

const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])

describe.runIf(canLogIn)('a caller with a signed JWT', () => {
  let environment: TestEnvironment
  let jeton: Jeton

  beforeAll(async () => {
    environment = await startTestEnvironment({ databases: ['postgres', 'mariadb'] })
    jeton = await startJeton({
      config: environment.config(),
      env: environment.serverEnv,
      folder: environment.folder,
    })
  })
  afterAll(async () => {
    await jeton?.close()
    await environment?.close()
  })

  async function vend(database: string): Promise<string> {
    const { status, body } = await jeton.requestToken(`Bearer ${await environment.issuer.sign(CLAIMS)}`, {
      database,
    })
    expect([status, body.code]).toEqual([200, undefined])
    expect(String(body.token).length).toBeGreaterThan(1024)
    return String(body.token)
  }

  async function logInWithPg(password: string): Promise<string> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: environment.postgres?.port ?? 0,
      user: 'migrator',
      database: 'orders',
      password,
      ssl: { ca: environment.authority.caPem, servername: ORDERS.host },
    })
    await client.connect()
    try {
      return (await client.query('select current_user as name')).rows[0].name
    } finally {
      await client.end()
    }
  }

  const stream = () => connect(environment.mariadb?.port ?? 0, '127.0.0.1')

  async function logInWithMysql2(password: string): Promise<string> {
    const connection = await createConnection({
      host: LEDGER.host,
      user: 'app_rw',
      password,
      stream,
      ssl: { ca: environment.authority.caPem, verifyIdentity: true },
      enableCleartextPlugin: true,
    })
    const [rows] = await connection.query('select current_user() as name')
    await connection.end()
    return (rows as { name: string }[])[0]?.name ?? ''
  }

  async function logInWithMariadb(password: string): Promise<string> {
    const connection = await mariadb.createConnection({
      host: LEDGER.host,
      user: 'app_rw',
      password,
      stream: callback => void callback?.(undefined, stream()),
      ssl: { ca: environment.authority.caPem },
    })
    const [row] = await connection.query('select current_user() as name')
    await connection.end()
    return row.name
  }

  async function exec(database: string, command: readonly string[]) {
    const env = { JETON_URL: jeton.url, JETON_JWT: await environment.issuer.sign(CLAIMS) }
    return runCli(['exec', database, '--ca', environment.caFile, '--', ...command], { env })
  }

  test('logs in to PostgreSQL with pg', async () => {
    expect(await logInWithPg(await vend('orders'))).toBe('migrator')
    expect(environment.postgres?.logins.at(-1)?.result).toMatchObject({
      ok: true,
      identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
    })
  })

  test('logs in to MariaDB with mysql2 and with the mariadb connector', async () => {
    const token = await vend('ledger')
    expect(await logInWithMysql2(token)).toBe('app_rw@%')
    expect(await logInWithMariadb(token)).toBe('app_rw@%')
  })

  test('logs in to PostgreSQL with jeton exec and psql', async () => {
    const ran = await exec('orders', [
      'psql',
      '-Atc',
      'select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()',
    ])
    expect(ran).toEqual({ code: 0, stdout: 'migrator|t\n', stderr: '' })
  })

  test('logs in to MariaDB with jeton exec and the mariadb command', async () => {
    const ran = await exec('ledger', [
      'mariadb',
      '-NBe',
      "select current_user(); show status like 'Ssl_version'",
    ])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^app_rw@%\nSsl_version\tTLSv1\.[23]\n$/)
  })

  test('does not log in with a token that was altered, cut, or is for another database', async () => {
    const [token, foreign] = [await vend('orders'), await vend('ledger')]
    const altered = token.replace(
      /X-Amz-Signature=./,
      match => `${match.slice(0, -1)}${match.endsWith('0') ? '1' : '0'}`,
    )
    for (const invalid of [altered, token.slice(0, -1), token.slice(0, 1024), foreign])
      await expect(logInWithPg(invalid)).rejects.toMatchObject({ code: '28000' })
    await expect(logInWithMysql2(token)).rejects.toMatchObject({ errno: 1045 })
    await expect(logInWithMysql2(foreign.slice(0, 512))).rejects.toMatchObject({ errno: 1045 })
  })

  test('gets another token that works after it reports the first as refused', async () => {
    const jwt = `Bearer ${await environment.issuer.sign(CLAIMS)}`
    const { body: first } = await jeton.requestToken(jwt, { database: 'orders' })
    // Two mints of one token key are at least 10 s apart.
    let second = await jeton.requestToken(jwt, { database: 'orders', refused: first.fingerprint })
    while (second.status === 429) {
      await pause(Number(second.headers.get('retry-after')) * 1000)
      second = await jeton.requestToken(jwt, { database: 'orders', refused: first.fingerprint })
    }
    expect(second.body.token).not.toBe(first.token)
    expect(await logInWithPg(String(second.body.token))).toBe('migrator')
  })

  test('leaves no secret in any log', async () => {
    const token = await vend('orders')
    const written = [...jeton.stdout, ...jeton.stderr].join('\n')
    const audit = await readFile(`${jeton.folder}/audit.jsonl`, 'utf8')
    for (const log of [written, audit]) {
      expect(log).not.toContain(token.slice(-64))
      expect(log).not.toContain('X-Amz-Signature')
      expect(log).not.toContain('eyJ')
      expect(log).not.toContain(environment.sts.credentials.secretAccessKey)
    }
    expect(audit).toContain('"decision":"vended"')
  })
})
