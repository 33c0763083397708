import type { ConnectionConfig } from 'mariadb'
import { type ConnectionOptions, createConnection as connectMysql2 } from 'mysql2/promise'
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
import { startMariadb } from './mariadb.ts'
import { logInWithMariadb, logInWithMysql2, mariadbTls } from './mariadb-clients.ts'
import { ORDERS } from './orders.ts'

const user = 'app_ro'
const endpoint = { ...ORDERS, port: 3306 }
const identity = 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.app_ro'
const authority = createAuthority()
const clientHere = await canRun(['mariadb-client'])
let sts: Sts
let database: RealDatabase
let serverFolder: PrivateFolder
let aheadMs = 0
let checkOverride: LoginCheck | undefined

const mint = () => mintWithAws({ sts, endpoint, user })

const login = (options: ConnectionOptions) =>
  logInWithMysql2(database.port, {
    host: ORDERS.host,
    user,
    ssl: { ca: authority.caPem, verifyIdentity: true },
    ...options,
  })

const loginMariadb = (options: ConnectionConfig) =>
  logInWithMariadb(database.port, {
    user,
    ssl: mariadbTls({ ca: authority.caPem, servername: ORDERS.host }),
    ...options,
  })

describe.runIf(await canRun(['mariadb']))('a real MariaDB', () => {
  beforeAll(async () => {
    sts = await startSts()
    serverFolder = await createPrivateFolder({ name: 'test' })
    const check = createRdsVerifier({ endpoint, sts, now: () => Date.now() + aheadMs })
    database = await startMariadb({
      authority,
      // The mariadb command verifies the name that it connects to.
      hosts: [ORDERS.host, 'localhost'],
      users: ORDERS.users,
      check: login => (checkOverride ?? check)(login),
    })
  })
  afterAll(async () => {
    await database?.close()
    await sts?.close()
    await serverFolder?.remove()
  })

  test('lets mysql2 in with a token of AWS’s own libraries, over verified TLS', async () => {
    const token = await mint()
    expect(token.length).toBeGreaterThan(1024)
    expect(await login({ password: token })).toEqual({ name: `${user}@%`, tls: 1 })
    expect(database.logins.at(-1)).toEqual({ user, result: { ok: true, identity } })
  })

  test('lets the mariadb connector in several times with the same token', async () => {
    const password = await mint()
    const logInAgain = () => loginMariadb({ password })
    expect(await Promise.all([logInAgain(), logInAgain(), logInAgain()])).toHaveLength(3)
    expect(database.logins.at(-1)).toEqual({ user, result: { ok: true, identity } })
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
      const tls = [`--ssl-ca=${await serverFolder.put('ca.pem', ca)}`, '--ssl-verify-server-cert']
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

  test.each(INVALID_TOKENS)('refuses $name', async invalid => {
    const password = await invalid.mint({ sts, endpoint, user })
    await expect(login({ password })).rejects.toMatchObject({ errno: 1045, sqlState: '28000' })
    expect(database.logins.at(-1)).toEqual({ user, result: { ok: false, reason: invalid.reason } })
  })

  test('refuses a token that has expired', async () => {
    const password = await mint()
    aheadMs = 15 * 60_000 + 1000
    await expect(login({ password })).rejects.toMatchObject({ errno: 1045 })
    aheadMs = 0
    expect(database.logins.at(-1)?.result.reason).toBe('token expired')
    await expect(login({ password })).resolves.toBeDefined()
  })

  test('refuses everyone while the check fails', async () => {
    checkOverride = () => {
      throw new Error('IAM does not answer')
    }
    await expect(login({ password: await mint() })).rejects.toMatchObject({ errno: 1045 })
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

  test('lets nobody in without TLS, even with a token', async () => {
    const password = await mint()
    const port = database.port
    const plain = { host: '127.0.0.1', port, user, password, enableCleartextPlugin: true }
    await expect(connectMysql2(plain)).rejects.toMatchObject({ errno: 1045 })
    await expect(loginMariadb({ password, ssl: false })).rejects.toThrow()
  })

  describe('never passes to the check', () => {
    const expectUnchecked = async (attempt: Promise<unknown>, error: object) => {
      const before = database.logins.length
      await expect(attempt).rejects.toMatchObject(error)
      expect(database.logins).toHaveLength(before)
    }
    const other = 'other.c9akciq32xyz.us-east-1.rds.amazonaws.com'

    test('a client that trusts another CA', async () => {
      const ca = createAuthority().caPem
      const password = await mint()
      await expectUnchecked(login({ password, ssl: { ca, verifyIdentity: true } }), {
        code: 'HANDSHAKE_SSL_ERROR',
      })
      await expectUnchecked(loginMariadb({ password, ssl: mariadbTls({ ca, servername: ORDERS.host }) }), {
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
      })
    })
    test('a client that wants another host', async () => {
      const password = await mint()
      await expectUnchecked(login({ password, host: other }), { code: 'HANDSHAKE_SSL_ERROR' })
      const ssl = mariadbTls({ ca: authority.caPem, servername: other })
      await expectUnchecked(loginMariadb({ password, ssl }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    })
    test('a user with a password', async () => {
      const { outsider } = database
      const password = await mintWithAws({ sts, endpoint, user: outsider.user })
      await expectUnchecked(login({ user: outsider.user, password, database: '' }), { errno: 1045 })
      expect(await login({ ...outsider, database: '' })).toMatchObject({ name: `${outsider.user}@%` })
    })
  })

  test('creates an account by RDS’s own SQL', async () => {
    const rows = await database.admin(
      `CREATE USER reporter@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;
       SELECT plugin FROM mysql.user WHERE user = 'reporter'`,
    )
    expect(rows).toEqual([{ plugin: 'AWSAuthenticationPlugin' }])
    const password = await mintWithAws({ sts, endpoint, user: 'reporter' })
    expect(await login({ user: 'reporter', password, database: '' })).toEqual({ name: 'reporter@%', tls: 1 })
  })
})
