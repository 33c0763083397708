import { connect } from 'node:net'
import { type Connection, type ConnectionConfig, createConnection as connectMariadb } from 'mariadb'
import { type ConnectionOptions, createConnection as connectMysql2 } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mintWithAws } from '../aws/mint-token.ts'
import { type Sts, startSts } from '../aws/sts.ts'
import { run } from '../run.ts'
import { createAuthority } from '../service/certificate-authority.ts'
import type { RealDatabase } from './database.ts'
import { FOREIGN_TOKENS } from './foreign-tokens.ts'
import { canRun } from './install.ts'
import { startMariadb } from './mariadb.ts'
import { ORDERS } from './orders.ts'
import { judgeFor, type LoginCheck } from './rds-verifier.ts'
import { createHome, type Home } from './server-folder.ts'

const user = 'app_ro'
const endpoint = { ...ORDERS, port: 3306 }
const identity = 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app_ro'
const WHO =
  "SELECT CURRENT_USER() AS name, variable_value <> '' AS tls FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"
const authority = createAuthority()
const clientHere = await canRun(['mariadb-client'])
let sts: Sts
let database: RealDatabase
let home: Home
let aheadMs = 0
let instead: LoginCheck | undefined

const mint = () => mintWithAws({ sts, endpoint, user })

/** mysql2 checks the name in `host`, and that only when told to: hence the stream to where the server really listens. */
async function login(options: ConnectionOptions): Promise<unknown> {
  const connection = await connectMysql2({
    host: ORDERS.host,
    stream: () => connect(database.port, '127.0.0.1'),
    user,
    database: 'orders',
    enableCleartextPlugin: true,
    ssl: { ca: authority.caPem, verifyIdentity: true },
    ...options,
  })
  const [rows] = await connection.query(WHO)
  await connection.end()
  return (rows as unknown[])[0]
}

/**
 * The mariadb connector. With `stream` and no `ssl.servername` it compares the certificate with "localhost" in the handshake
 * and with `host` only after it has sent the token; its types do not know `servername`.
 */
const trusting = (ssl: { ca: string; servername: string }) => ssl

async function loginMariadb(options: ConnectionConfig): Promise<unknown> {
  const connection: Connection = await connectMariadb({
    host: '127.0.0.1',
    port: database.port,
    user,
    database: 'orders',
    ssl: trusting({ ca: authority.caPem, servername: ORDERS.host }),
    ...options,
  })
  const rows = await connection.query(WHO)
  await connection.end()
  return rows[0]
}

describe.runIf(await canRun(['mariadb']))('a real MariaDB', () => {
  beforeAll(async () => {
    sts = await startSts()
    home = await createHome({ name: 'test', preferred: [] })
    const check = judgeFor({ endpoint, sts, now: () => Date.now() + aheadMs })
    database = await startMariadb({
      authority,
      // The mariadb command checks the name that it dials.
      hosts: [ORDERS.host, 'localhost'],
      users: ORDERS.users,
      check: asked => (instead ?? check)(asked),
    })
  })
  afterAll(async () => {
    await database?.close()
    await sts?.close()
    await home?.remove()
  })

  test('lets mysql2 in with a token of AWS’s own libraries, over verified TLS', async () => {
    const token = await mint()
    expect(token.length).toBeGreaterThan(1024)
    expect(await login({ password: token })).toEqual({ name: `${user}@%`, tls: 1 })
    expect(database.logins.at(-1)).toEqual({ user, verdict: { ok: true, identity } })
  })

  test('lets the mariadb connector in, again and again', async () => {
    const password = await mint()
    const again = () => loginMariadb({ password })
    expect(await Promise.all([again(), again(), again()])).toHaveLength(3)
    expect(database.logins.at(-1)).toEqual({ user, verdict: { ok: true, identity } })
    await expect(loginMariadb({ password: password.slice(0, -1) })).rejects.toMatchObject({ errno: 1045 })
  })

  test.runIf(clientHere)('lets the mariadb command in with a verified certificate', async () => {
    const mariadb = async (options: { password: string; ca: string; host?: string }) => {
      const { password, ca, host = 'localhost' } = options
      const args = [
        '--no-defaults',
        '-N',
        '-B',
        '-h',
        host,
        '-P',
        String(database.port),
        '--protocol=tcp',
        '-u',
        user,
      ]
      const tls = [`--ssl-ca=${await home.put('ca.pem', ca)}`, '--ssl-verify-server-cert']
      const statement = ['-e', 'SELECT CURRENT_USER()', 'orders']
      return run('mariadb', [...args, ...tls, ...statement], { env: { MYSQL_PWD: password } })
    }
    const password = await mint()
    const ca = authority.caPem
    expect(await mariadb({ password, ca })).toEqual({ code: 0, stdout: `${user}@%\n`, stderr: '' })
    expect((await mariadb({ password: password.slice(0, -1), ca })).stderr).toContain('ERROR 1045 (28000)')

    const before = database.logins.length
    expect((await mariadb({ password, ca: createAuthority().caPem })).stderr).toContain('ERROR 2026')
    expect((await mariadb({ password, ca, host: '127.0.0.1' })).stderr).toContain('ERROR 2026')
    expect(database.logins).toHaveLength(before)
  })

  test.each(FOREIGN_TOKENS)('refuses $name', async foreign => {
    const password = await foreign.mint({ sts, endpoint, user })
    await expect(login({ password })).rejects.toMatchObject({ errno: 1045, sqlState: '28000' })
    expect(database.logins.at(-1)).toEqual({ user, verdict: { ok: false, reason: foreign.reason } })
  })

  test('refuses a token that has expired', async () => {
    const password = await mint()
    aheadMs = 15 * 60_000 + 1000
    await expect(login({ password })).rejects.toMatchObject({ errno: 1045 })
    aheadMs = 0
    expect(database.logins.at(-1)?.verdict.reason).toBe('token expired')
    await expect(login({ password })).resolves.toBeDefined()
  })

  test('refuses everybody while the check fails', async () => {
    instead = () => {
      throw new Error('IAM does not answer')
    }
    await expect(login({ password: await mint() })).rejects.toMatchObject({ errno: 1045 })
    instead = undefined
  })

  test('takes a token of 60,000 bytes whole', async () => {
    let seen = ''
    instead = ({ token }) => {
      seen = token
      return { ok: true, identity }
    }
    const password = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(6, '-')).join('')
    await login({ password })
    instead = undefined
    expect(seen).toBe(password)
  })

  test('lets nobody in without TLS, whatever the token', async () => {
    const password = await mint()
    const port = database.port
    const plain = { host: '127.0.0.1', port, user, password, enableCleartextPlugin: true }
    await expect(connectMysql2(plain)).rejects.toMatchObject({ errno: 1045 })
    await expect(loginMariadb({ password, ssl: false })).rejects.toThrow()
  })

  describe('never asks about', () => {
    const unasked = async (attempt: Promise<unknown>, error: object) => {
      const before = database.logins.length
      await expect(attempt).rejects.toMatchObject(error)
      expect(database.logins).toHaveLength(before)
    }
    const other = 'other.c9akciq32xyz.us-east-1.rds.amazonaws.com'

    test('a client that trusts another CA', async () => {
      const ca = createAuthority().caPem
      const password = await mint()
      await unasked(login({ password, ssl: { ca, verifyIdentity: true } }), { code: 'HANDSHAKE_SSL_ERROR' })
      await unasked(loginMariadb({ password, ssl: trusting({ ca, servername: ORDERS.host }) }), {
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
      })
    })
    test('a client that wants another host', async () => {
      const password = await mint()
      await unasked(login({ password, host: other }), { code: 'HANDSHAKE_SSL_ERROR' })
      const ssl = trusting({ ca: authority.caPem, servername: other })
      await unasked(loginMariadb({ password, ssl }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })
    test('a user with a password', async () => {
      const { outsider } = database
      const password = await mintWithAws({ sts, endpoint, user: outsider.user })
      await unasked(login({ user: outsider.user, password, database: '' }), { errno: 1045 })
      expect(await login({ ...outsider, database: '' })).toMatchObject({ name: `${outsider.user}@%` })
    })
  })

  test('RDS’s own SQL makes an account', async () => {
    const rows = await database.admin(
      `CREATE USER reporter@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;
       SELECT plugin FROM mysql.user WHERE user = 'reporter'`,
    )
    expect(rows).toEqual([{ plugin: 'AWSAuthenticationPlugin' }])
    const password = await mintWithAws({ sts, endpoint, user: 'reporter' })
    expect(await login({ user: 'reporter', password, database: '' })).toEqual({ name: 'reporter@%', tls: 1 })
  })
})
