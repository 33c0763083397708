import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRdsVerifier, type LoginCheck } from '../../../src/dev/aws/rds-verifier.ts'
import { createAuthority } from '../../../src/dev/postgres/certificate-authority.ts'
import { createPrivateFolder, type PrivateFolder } from '../../../src/dev/private-folder.ts'
import { mintWithAws } from '../aws/mint-token.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import { run } from '../run.ts'
import type { RealDatabase } from './database.ts'
import { canRun } from './install.ts'
import { INVALID_TOKENS } from './invalid-tokens.ts'
import { ORDERS } from './orders.ts'
import { startPostgres } from './postgres.ts'

const user = 'app_ro'
const identity = 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app_ro'
const authority = createAuthority()
const psqlHere = await canRun(['psql'])
let sts: Sts
let database: RealDatabase
let serverFolder: PrivateFolder
let aheadMs = 0
let checkOverride: LoginCheck | undefined

const mint = () => mintWithAws({ sts, endpoint: ORDERS, user })

/** Logs in as a driver does; returns the user and whether TLS is used, as the server sees it. */
async function login(options: pg.ClientConfig): Promise<unknown> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: database.port,
    user,
    database: 'orders',
    ssl: { ca: authority.caPem, servername: ORDERS.host },
    ...options,
  })
  try {
    await client.connect()
    const { rows } = await client.query(
      'SELECT current_user AS name, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    )
    return rows[0]
  } finally {
    await client.end()
  }
}

describe.runIf(await canRun(['postgres']))('a real PostgreSQL', () => {
  beforeAll(async () => {
    sts = await startSts()
    serverFolder = await createPrivateFolder({ name: 'test' })
    const check = createRdsVerifier({ endpoint: ORDERS, sts, now: () => Date.now() + aheadMs })
    database = await startPostgres({
      authority,
      hosts: [ORDERS.host],
      users: ORDERS.users,
      check: login => (checkOverride ?? check)(login),
    })
  })
  afterAll(async () => {
    await database?.close()
    await sts?.close()
    await serverFolder?.remove()
  })

  test('lets pg in with a token of AWS’s own libraries, over verified TLS', async () => {
    const token = await mint()
    expect(token.length).toBeGreaterThan(1024)
    expect(await login({ password: token })).toEqual({ name: user, ssl: true })
    expect(database.logins.at(-1)).toEqual({ user, result: { ok: true, identity } })
  })

  test('lets pg in several times with the same token', async () => {
    const password = await mint()
    const logInAgain = () => login({ password })
    expect(await Promise.all([logInAgain(), logInAgain(), logInAgain()])).toHaveLength(3)
  })

  test.runIf(psqlHere)('lets psql in with sslmode=verify-full', async () => {
    const ca = await serverFolder.put('ca.pem', authority.caPem)
    const psql = (env: Record<string, string>) =>
      run('psql', ['-X', '-At', '-c', 'SELECT current_user'], {
        env: {
          PGHOST: ORDERS.host,
          PGHOSTADDR: '127.0.0.1',
          PGPORT: String(database.port),
          PGUSER: user,
          PGDATABASE: 'orders',
          PGSSLMODE: 'verify-full',
          PGSSLROOTCERT: ca,
          ...env,
        },
      })
    const PGPASSWORD = await mint()
    expect(await psql({ PGPASSWORD })).toEqual({ code: 0, stdout: `${user}\n`, stderr: '' })
    const elsewhere = await psql({ PGPASSWORD, PGHOST: 'other.example.com' })
    expect(elsewhere.code).toBe(2)
    expect(elsewhere.stderr).toContain('does not match host name')
    expect((await psql({ PGPASSWORD: PGPASSWORD.slice(0, -1) })).stderr).toContain('authentication failed')
  })

  test.each(INVALID_TOKENS)('refuses $name', async invalid => {
    const password = await invalid.mint({ sts, endpoint: ORDERS, user })
    await expect(login({ password })).rejects.toMatchObject({ code: '28000' })
    expect(database.logins.at(-1)).toEqual({ user, result: { ok: false, reason: invalid.reason } })
  })

  test('refuses a token that has expired', async () => {
    const password = await mint()
    aheadMs = 15 * 60_000 + 1000
    await expect(login({ password })).rejects.toMatchObject({ code: '28000' })
    aheadMs = 0
    expect(database.logins.at(-1)?.result.reason).toBe('token expired')
    await expect(login({ password })).resolves.toBeDefined()
  })

  test('refuses everyone while the check fails', async () => {
    checkOverride = () => {
      throw new Error('IAM does not answer')
    }
    await expect(login({ password: await mint() })).rejects.toMatchObject({ code: '28000' })
    checkOverride = undefined
  })

  test('passes a token of 60,000 bytes whole to the check', async () => {
    let receivedToken = ''
    checkOverride = ({ token }) => {
      receivedToken = token
      return { ok: true, identity }
    }
    const password = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(6, '-')).join('')
    await login({ password })
    checkOverride = undefined
    expect(receivedToken).toBe(password)
  })

  describe('never passes to the check', () => {
    const expectUnchecked = async (attempt: Promise<unknown>, error: unknown) => {
      const before = database.logins.length
      await expect(attempt).rejects.toMatchObject(error as object)
      expect(database.logins).toHaveLength(before)
    }

    test('a login without TLS', async () => {
      await expectUnchecked(login({ password: await mint(), ssl: false }), { code: '28000' })
    })
    test('a client that trusts another CA', async () => {
      const ssl = { ca: createAuthority().caPem, servername: ORDERS.host }
      await expectUnchecked(login({ password: await mint(), ssl }), {
        code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      })
    })
    test('a client that wants another host', async () => {
      const ssl = { ca: authority.caPem, servername: 'other.c9akciq32xyz.us-east-1.rds.amazonaws.com' }
      await expectUnchecked(login({ password: await mint(), ssl }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })
    test('a user with a password instead of rds_iam', async () => {
      const { outsider } = database
      const password = await mintWithAws({ sts, endpoint: ORDERS, user: outsider.user })
      await expectUnchecked(login({ user: outsider.user, password }), { code: '28P01' })
      expect(await login(outsider)).toEqual({ name: outsider.user, ssl: true })
    })
    test('a user whose rds_iam was revoked', async () => {
      const password = await mintWithAws({ sts, endpoint: ORDERS, user: 'app_rw' })
      await database.admin('REVOKE rds_iam FROM app_rw')
      await expectUnchecked(login({ user: 'app_rw', password }), { code: '28P01' })
      await database.admin('GRANT rds_iam TO app_rw')
      expect(await login({ user: 'app_rw', password })).toEqual({ name: 'app_rw', ssl: true })
    })
  })

  test('creates an account by RDS’s own SQL', async () => {
    await database.admin('CREATE USER reporter WITH LOGIN; GRANT rds_iam TO reporter;')
    const password = await mintWithAws({ sts, endpoint: ORDERS, user: 'reporter' })
    expect(await login({ user: 'reporter', password })).toEqual({ name: 'reporter', ssl: true })
  })
})
