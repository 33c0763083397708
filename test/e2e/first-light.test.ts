import { connect } from 'node:net'
import * as mariadb from 'mariadb'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { type Jeton, runCli, startJeton } from '../support/service/jeton.ts'
import { LEDGER, type Stage, setStage } from '../support/service/scenario.ts'

/** The whole way: a signed JWT, HTTP to a real server process, a token, and a real database that checks it as RDS does. */
const CLAIMS = {
  sub: 'repo:acme/orders:ref:refs/heads/main',
  repository: 'acme/orders',
  ref: 'refs/heads/main',
}

const canLogIn = await canRun(['postgres', 'psql', 'mariadb', 'mariadb-client'])

describe.runIf(canLogIn)('a caller with a signed JWT logs in', () => {
  let stage: Stage
  let jeton: Jeton

  beforeAll(async () => {
    stage = await setStage({ databases: ['postgres', 'mariadb'] })
    jeton = await startJeton({ config: stage.config(), env: stage.env, folder: stage.folder })
  })
  afterAll(async () => {
    await jeton?.close()
    await stage?.close()
  })

  async function vended(database: string): Promise<string> {
    const { status, body } = await jeton.ask(`Bearer ${await stage.issuer.sign(CLAIMS)}`, { database })
    expect([status, body.code]).toEqual([200, undefined])
    expect(String(body.token).length).toBeGreaterThan(1024)
    return String(body.token)
  }

  async function withPg(password: string): Promise<string> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: stage.postgres?.port ?? 0,
      user: 'migrator',
      database: 'orders',
      password,
      ssl: { ca: stage.authority.caPem, servername: ORDERS.host },
    })
    await client.connect()
    try {
      return (await client.query('select current_user as name')).rows[0].name
    } finally {
      await client.end()
    }
  }

  const stream = () => connect(stage.mariadb?.port ?? 0, '127.0.0.1')

  async function withMysql2(password: string): Promise<string> {
    const connection = await createConnection({
      host: LEDGER.host,
      user: 'app_rw',
      password,
      stream,
      ssl: { ca: stage.authority.caPem, verifyIdentity: true },
      enableCleartextPlugin: true,
    })
    const [rows] = await connection.query('select current_user() as name')
    await connection.end()
    return (rows as { name: string }[])[0]?.name ?? ''
  }

  async function withMariadb(password: string): Promise<string> {
    const connection = await mariadb.createConnection({
      host: LEDGER.host,
      user: 'app_rw',
      password,
      stream: callback => void callback?.(undefined, stream()),
      ssl: { ca: stage.authority.caPem },
    })
    const [row] = await connection.query('select current_user() as name')
    await connection.end()
    return row.name
  }

  async function exec(database: string, command: readonly string[]) {
    const env = { JETON_URL: jeton.url, JETON_JWT: await stage.issuer.sign(CLAIMS) }
    return runCli(['exec', database, '--ca', stage.caFile, '--', ...command], { env })
  }

  test('to PostgreSQL with pg', async () => {
    expect(await withPg(await vended('orders'))).toBe('migrator')
    expect(stage.postgres?.logins.at(-1)?.verdict).toMatchObject({
      ok: true,
      identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
    })
  })

  test('to MariaDB with mysql2 and with the mariadb connector', async () => {
    const token = await vended('ledger')
    expect(await withMysql2(token)).toBe('app_rw@%')
    expect(await withMariadb(token)).toBe('app_rw@%')
  })

  test('to PostgreSQL with psql, in one line', async () => {
    const ran = await exec('orders', [
      'psql',
      '-Atc',
      'select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()',
    ])
    expect(ran).toEqual({ code: 0, stdout: 'migrator|t\n', stderr: '' })
  })

  test('to MariaDB with the mariadb command, in one line', async () => {
    const ran = await exec('ledger', [
      'mariadb',
      '-NBe',
      "select current_user(); show status like 'Ssl_version'",
    ])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^app_rw@%\nSsl_version\tTLSv1\.[23]\n$/)
  })

  test('and nobody with a token that was altered, cut, or is for another database', async () => {
    const [token, foreign] = [await vended('orders'), await vended('ledger')]
    const altered = token.replace(
      /X-Amz-Signature=./,
      match => `${match.slice(0, -1)}${match.endsWith('0') ? '1' : '0'}`,
    )
    for (const bad of [altered, token.slice(0, -1), token.slice(0, 1024), foreign])
      await expect(withPg(bad)).rejects.toMatchObject({ code: '28000' })
    await expect(withMysql2(token)).rejects.toMatchObject({ errno: 1045 })
    await expect(withMysql2(foreign.slice(0, 512))).rejects.toMatchObject({ errno: 1045 })
  })

  test('and whoever reports a token as refused gets another one that works', async () => {
    const jwt = `Bearer ${await stage.issuer.sign(CLAIMS)}`
    const { body: first } = await jeton.ask(jwt, { database: 'orders' })
    // two mints of one key are at least 10 s apart
    let second = await jeton.ask(jwt, { database: 'orders', refused: first.fingerprint })
    while (second.status === 429) {
      await new Promise(resolve => setTimeout(resolve, Number(second.headers.get('retry-after')) * 1000))
      second = await jeton.ask(jwt, { database: 'orders', refused: first.fingerprint })
    }
    expect(second.body.token).not.toBe(first.token)
    expect(await withPg(String(second.body.token))).toBe('migrator')
  })

  test('and no secret is in any log', async () => {
    const token = await vended('orders')
    const written = [...jeton.stdout, ...jeton.stderr].join('\n')
    const { readFile } = await import('node:fs/promises')
    const audit = await readFile(`${jeton.folder}/audit.jsonl`, 'utf8')
    for (const log of [written, audit]) {
      expect(log).not.toContain(token.slice(-64))
      expect(log).not.toContain('X-Amz-Signature')
      expect(log).not.toContain('eyJ')
      expect(log).not.toContain(stage.sts.credentials.secretAccessKey)
    }
    expect(audit).toContain('"decision":"vended"')
  })
})
