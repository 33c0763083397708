import { connect } from 'node:net'
import fc from 'fast-check'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRdsVerifier } from '../../src/dev/aws/rds-verifier.ts'
import { createAuthority } from '../../src/dev/postgres/certificate-authority.ts'
import { createPrivateFolder, type PrivateFolder } from '../../src/dev/private-folder.ts'
import { accountSql, quoteMysqlName, quotePostgresName } from '../../src/rds/account-sql.ts'
import { mintWithAws } from '../support/aws/mint-token.ts'
import { type Sts, startSts } from '../support/aws/sts.ts'
import type { RealDatabase } from '../support/databases/database.ts'
import { canRun } from '../support/databases/install.ts'
import { startMariadb } from '../support/databases/mariadb.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { startPostgres } from '../support/databases/postgres.ts'
import { run } from '../support/run.ts'

/** A name of any characters, often of those that could end it. */
const anyName = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc
      .array(
        fc.constantFrom(
          '"',
          '`',
          "'",
          '\\',
          '\n',
          '\r',
          ';',
          '--',
          '/*',
          '*/',
          '#',
          '$$',
          'a',
          ' ',
          ':x',
          '%',
          '@',
          '\u00c1',
          '日',
          '\\!',
        ),
        { minLength: 1 },
      )
      .map(parts => parts.join('')),
  )
  .filter(name => !/[\0\p{Cs}]/u.test(name))

/** One that needs no quotes and one that does; a role session can be named after both. */
const USERS = ['app_ro', 'app.rw-2']

const HOSTILE = [
  'x"; DROP ROLE victim; --',
  "x'@'%'; DROP USER victim; #",
  'x`@`%`; DROP USER victim; -- -',
  "\\'; DROP USER victim; -- x",
  '\\`; DROP USER victim; -- x',
  'x\n\\! touch /tmp/owned\n;',
  '"x"',
  '``',
  "it's",
  'back\\slash\\',
  'a/*b*/c',
  ':name $1 $$ ?',
  'Á',
  'no',
]

describe('quotePostgresName and quoteMysqlName', () => {
  test.each([
    ['"', quotePostgresName],
    ['`', quoteMysqlName],
  ])('a name quoted in %s unquotes to itself and does not end early', (quote, quoteName) => {
    fc.assert(
      fc.property(anyName, name => {
        const inside = quoteName(name).slice(1, -1)
        expect(quoteName(name)).toBe(`${quote}${inside}${quote}`)
        expect(inside.replaceAll(quote + quote, '')).not.toContain(quote)
        expect(inside.replaceAll(quote + quote, quote)).toBe(name)
      }),
    )
  })

  test.each(['', '\0', 'a\0b', '\ud800', 'x\udfff'])('a name cannot be %j', name => {
    expect(() => quotePostgresName(name)).toThrow(RangeError)
    expect(() => quoteMysqlName(name)).toThrow(RangeError)
  })
})

test('accountSql explains the consequences in comments, which contain no names', () => {
  const postgres = accountSql({ engine: 'postgres', kind: 'instance', users: ['x\n; DROP ROLE y;'] })
  const comments = postgres.split('\n').filter(line => line.startsWith('-- '))
  expect(comments.join('\n')).toMatch(
    /precedence over a password[\s\S]+master user[\s\S]+Kerberos[\s\S]+replication/,
  )
  expect(comments.join('\n')).not.toContain('DROP')
  expect(accountSql({ engine: 'mysql', kind: 'proxy', users: ['x'] })).toContain('Secrets Manager')
})

test('accountSql sets the encoding if a name is not ASCII', () => {
  const sql = (engine: 'postgres' | 'mariadb', user: string) =>
    accountSql({ engine, kind: 'instance', users: ['a', user] })
  expect(sql('postgres', 'Á')).toContain("\nSET client_encoding = 'UTF8';\nCREATE USER")
  expect(sql('mariadb', 'Á')).toContain('\nSET NAMES utf8mb4;\nCREATE USER')
  expect(sql('postgres', 'b') + sql('mariadb', 'b')).not.toMatch(/^SET/m)
})

const ACCOUNTS =
  "SELECT User AS name, Host AS host, plugin, ssl_type FROM mysql.user WHERE plugin = 'AWSAuthenticationPlugin'"
const authority = createAuthority()
const namesOf = (maxBytes: number, isAllowed: (name: string) => boolean = () => true) => [
  ...new Set([
    ...HOSTILE,
    ...fc.sample(anyName, 40).filter(name => Buffer.byteLength(name) <= maxBytes && isAllowed(name)),
  ]),
]

describe.runIf(await canRun(['postgres', 'psql']))('on a real PostgreSQL', () => {
  let sts: Sts
  let serverFolder: PrivateFolder
  let database: RealDatabase

  beforeAll(async () => {
    sts = await startSts()
    serverFolder = await createPrivateFolder({ name: 'test' })
    const check = createRdsVerifier({ endpoint: ORDERS, sts })
    database = await startPostgres({ authority, hosts: [ORDERS.host], users: [], check })
    await database.admin(`ALTER ROLE ${database.outsider.user} SUPERUSER; CREATE ROLE victim`)
  })
  afterAll(async () => {
    await database?.close()
    await sts?.close()
    await serverFolder?.remove()
  })

  async function psql(sql: string) {
    const { user, password } = database.outsider
    const ca = await serverFolder.put('ca.pem', authority.caPem)
    const at = `host=${ORDERS.host} hostaddr=127.0.0.1 port=${database.port} dbname=orders user=${user} sslmode=verify-full sslrootcert=${ca}`
    const env = { PGPASSWORD: password }
    return run('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-v', 'name=owned', '-d', at, '-f', '-'], {
      env,
      input: sql,
    })
  }

  test('accountSql runs in psql, and the accounts log in with a token and nothing else', async () => {
    const sql = accountSql({ engine: 'postgres', kind: 'instance', users: USERS })
    expect(await psql(sql)).toMatchObject({ code: 0, stderr: '' })
    const login = async (user: string, password: string) => {
      const ssl = { ca: authority.caPem, servername: ORDERS.host }
      const client = new pg.Client({
        host: '127.0.0.1',
        port: database.port,
        database: 'orders',
        user,
        password,
        ssl,
      })
      try {
        await client.connect()
        return (await client.query('SELECT current_user AS name')).rows
      } finally {
        await client.end()
      }
    }
    for (const user of USERS) {
      const token = await mintWithAws({ sts, endpoint: ORDERS, user })
      expect(await login(user, token)).toEqual([{ name: user }])
      expect(database.logins.at(-1)).toMatchObject({ user, result: { ok: true } })
      await expect(login(user, 'password')).rejects.toMatchObject({ code: '28000' })
    }
  })

  test('accountSql keeps names as names, in the server and in psql', async () => {
    const users = namesOf(63, name => !/^pg_|^(public|none)$/.test(name))
    const result = await psql(accountSql({ engine: 'postgres', kind: 'instance', users }))
    expect(result, JSON.stringify(users)).toMatchObject({ code: 0, stderr: '' })
    const rows = await database.admin(
      "SELECT rolname FROM pg_roles WHERE rolcanlogin AND pg_has_role(oid, 'rds_iam', 'member') AND NOT rolsuper",
    )
    const created = rows.map(({ rolname }) => rolname).filter(name => !USERS.includes(String(name)))
    expect(new Set(created)).toEqual(new Set(users))
    expect(await database.admin("SELECT 1 FROM pg_roles WHERE rolname = 'victim'")).toHaveLength(1)
  })
})

describe.runIf(await canRun(['mariadb', 'mariadb-client']))('on a real MariaDB', () => {
  let sts: Sts
  let serverFolder: PrivateFolder
  let database: RealDatabase
  const endpoint = { ...ORDERS, port: 3306 }

  beforeAll(async () => {
    sts = await startSts()
    serverFolder = await createPrivateFolder({ name: 'test' })
    const check = createRdsVerifier({ endpoint, sts })
    database = await startMariadb({ authority, hosts: [ORDERS.host, 'localhost'], users: [], check })
    const { user } = database.outsider
    await database.admin(`GRANT CREATE USER ON *.* TO '${user}'@'%'; CREATE USER victim`)
  })
  afterAll(async () => {
    await database?.close()
    await sts?.close()
    await serverFolder?.remove()
  })

  async function mariadb(sql: string) {
    const { user, password } = database.outsider
    const tls = [`--ssl-ca=${await serverFolder.put('ca.pem', authority.caPem)}`, '--ssl-verify-server-cert']
    const at = ['--no-defaults', '-h', 'localhost', '--protocol=tcp', '-P', String(database.port), '-u', user]
    return run('mariadb', [...at, ...tls], { env: { MYSQL_PWD: password }, input: sql })
  }

  test('accountSql runs in the client, and the accounts log in with a token over TLS only', async () => {
    const users = USERS
    expect(await mariadb(accountSql({ engine: 'mariadb', kind: 'instance', users }))).toMatchObject({
      code: 0,
      stderr: '',
    })
    const login = async (user: string, password: string, ssl: boolean) => {
      const connection = await createConnection({
        host: ORDERS.host,
        stream: () => connect(database.port, '127.0.0.1'),
        user,
        password,
        enableCleartextPlugin: true,
        ...(ssl && { ssl: { ca: authority.caPem, verifyIdentity: true } }),
      })
      const [rows] = await connection.query('SELECT CURRENT_USER() AS name')
      await connection.end()
      return rows
    }
    for (const user of users) {
      const token = await mintWithAws({ sts, endpoint, user })
      expect(await login(user, token, true)).toEqual([{ name: `${user}@%` }])
      expect(database.logins.at(-1)).toMatchObject({ user, result: { ok: true } })
      await expect(login(user, token, false)).rejects.toMatchObject({ errno: 1045 })
      await expect(login(user, 'password', true)).rejects.toMatchObject({ errno: 1045 })
    }
  })

  test.each(['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'])(
    'accountSql keeps names as names, in the server and in its client, with sql_mode=%j',
    async mode => {
      // MariaDB's names have only the basic plane and lose trailing spaces; the client turns \r\n into a line break
      const former = await database.admin(ACCOUNTS)
      for (const { name } of former) await database.admin(`DROP USER ${quoteMysqlName(String(name))}@'%'`)
      const users = namesOf(32, name => !/[\u{10000}-\u{10ffff}\r]|\s$/u.test(name))
      const sql = accountSql({ engine: 'mariadb', kind: 'instance', users })
      const result = await mariadb(`SET sql_mode = '${mode}';\n${sql}`)
      expect(result, JSON.stringify(users)).toMatchObject({ code: 0, stderr: '' })
      const rows = await database.admin(ACCOUNTS)
      const account = { host: '%', plugin: 'AWSAuthenticationPlugin', ssl_type: 'ANY' }
      expect(new Set(rows)).toEqual(new Set(users.map(name => ({ ...account, name }))))
      expect(await database.admin("SELECT 1 FROM mysql.user WHERE User = 'victim'")).toHaveLength(1)
    },
  )
})
