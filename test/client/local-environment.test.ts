import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createPool } from 'mysql2'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../../src/client/client-variables.ts'
import { putLocalLogin } from '../../src/client/local-environment.ts'
import type { LocalLogin } from '../../src/client/local-login.ts'
import { localUrl, localUrlVariables } from '../../src/client/local-login-url.ts'
import type { PutFile } from '../../src/client/login-files.ts'

const ORDERS: LocalLogin = {
  engine: 'postgres',
  user: 'app@corp',
  dbname: 'shop & co',
  socket: '/run/j t/.s.PGSQL.5433',
  port: 5433,
}
const LEDGER: LocalLogin = { ...ORDERS, engine: 'mariadb', socket: '/run/j t/mysql.3306.sock', port: 3306 }
const onLoopback = (login: LocalLogin): LocalLogin => ({ ...login, socket: undefined })

let folder: string
let files: Record<string, string>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-'))
  files = {}
})
afterEach(() => rmSync(folder, { recursive: true }))

const put: PutFile = async ({ name, text }) => {
  files[name] = text
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

describe('a local login of PostgreSQL', () => {
  test('leads to the socket by its folder, and to loopback by its address', async () => {
    expect((await putLocalLogin(ORDERS, put)).set).toEqual({
      DATABASE_URL: 'postgresql:///shop%20&%20co?user=app%40corp&host=%2Frun%2Fj%20t&port=5433',
      PGHOST: '/run/j t',
      PGPORT: '5433',
      PGUSER: 'app@corp',
      PGPASSWORD: 'none-needed',
      PGSSLMODE: 'disable',
      PGDATABASE: 'shop & co',
    })
    expect((await putLocalLogin(onLoopback(ORDERS), put)).set).toMatchObject({
      DATABASE_URL: 'postgresql://app%40corp@127.0.0.1:5433/shop%20&%20co?sslmode=disable',
      PGHOST: '127.0.0.1',
    })
    expect(files).toEqual({})
  })

  test('leaves the database to the caller if none is configured', async () => {
    const { dbname: _, ...withoutOne } = ORDERS
    const { set, unset } = await putLocalLogin(withoutOne, put)
    expect(set).toMatchObject({ DATABASE_URL: expect.stringContaining(':///?user=') })
    expect([...Object.keys(set), ...unset]).not.toContain('PGDATABASE')
  })

  test.each([
    [ORDERS, { host: '/run/j t', port: 5433 }],
    [onLoopback(ORDERS), { host: '127.0.0.1', port: 5433 }],
  ])('has a URL that node-pg reads: %o', (login, address) => {
    const read = new pg.Client(localUrl(login)) as unknown as Record<string, unknown>
    expect(read).toMatchObject({ ...address, user: 'app@corp', database: 'shop & co', ssl: false })
  })

  test.each([ORDERS, onLoopback(ORDERS)])('has a URL that is one to the WHATWG: %o', login => {
    expect(new URL(localUrl(login)).href).toBe(localUrl(login))
  })
})

describe('a local login of MySQL and MariaDB', () => {
  test('leads to the socket, and to loopback by its address', async () => {
    expect((await putLocalLogin(LEDGER, put)).set).toEqual({
      DATABASE_URL:
        'mysql://app%40corp@localhost:3306/shop%20&%20co?socket=%2Frun%2Fj%20t%2Fmysql.3306.sock&socketPath=%2Frun%2Fj%20t%2Fmysql.3306.sock',
      MYSQL_HOST: 'localhost',
      MYSQL_UNIX_PORT: LEDGER.socket,
      MYSQL_TCP_PORT: '3306',
      MYSQL_USER: 'app@corp',
      MYSQL_PWD: 'none-needed',
      MYSQL_DATABASE: 'shop & co',
      MARIADB_HOME: join(folder, 'mariadb'),
      MYSQL_HOME: join(folder, 'mysql'),
      MYSQL_TEST_LOGIN_FILE: join(folder, 'mysql', 'no-login-paths'),
    })
    const { set, unset } = await putLocalLogin(onLoopback(LEDGER), put)
    expect(set).toMatchObject({
      DATABASE_URL: 'mysql://app%40corp@127.0.0.1:3306/shop%20&%20co',
      MYSQL_HOST: '127.0.0.1',
    })
    expect(unset).toContain('MYSQL_UNIX_PORT')
  })

  test('has option files without a password, in which no client asks for TLS', async () => {
    await putLocalLogin(LEDGER, put)
    const client =
      '[client]\nprotocol=SOCKET\nhost=localhost\nsocket="/run/j t/mysql.3306.sock"\nport=3306\nuser="app@corp"\n'
    expect(files).toEqual({
      'mariadb/my.cnf': `${client}skip-ssl\nskip-ssl-verify-server-cert\n[mysql]\ndatabase="shop & co"\n`,
      'mysql/my.cnf': `${client}loose-ssl-mode=DISABLED\n[mysql]\ndatabase="shop & co"\n`,
    })
  })

  test('has an option file that the mariadb client reads as it is meant', async ({ skip }) => {
    const { MARIADB_HOME = '' } = (await putLocalLogin(onLoopback(LEDGER), put)).set
    const env = { PATH: process.env.PATH, HOME: folder, MARIADB_HOME, MYSQL_HOME: '/nonexistent' }
    const { status, stdout } = spawnSync('mariadb', ['--print-defaults'], { env, encoding: 'utf8' })
    if (status === null && !process.env.CI) skip('DID NOT RUN: the mariadb client is not installed')
    expect(stdout).toContain(
      '--protocol=TCP --host=127.0.0.1 --port=3306 --user=app@corp --skip-ssl --skip-ssl-verify-server-cert --database=shop & co',
    )
  })

  test('has a URL that mysql2 reads', () => {
    const pool = createPool(localUrl(LEDGER)) as unknown as { config: { connectionConfig: object } }
    expect(pool.config.connectionConfig).toMatchObject({
      socketPath: LEDGER.socket,
      user: 'app@corp',
      database: 'shop & co',
    })
  })
})

test.each([
  ['postgres', POSTGRES_VARIABLES, 'PGSSLROOTCERT'],
  ['mariadb', MYSQL_VARIABLES, 'MYSQL_SSL_CA'],
])('of %s, all that would lead elsewhere or ask for TLS is removed', async (engine, variables, caFile) => {
  const { set, unset } = await putLocalLogin({ ...ORDERS, engine }, put)
  const names = [...Object.keys(set), ...unset]
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining([...loginVariables(variables), caFile]))
})

describe('URLs for JDBC', () => {
  const jdbc = (login: LocalLogin) => localUrlVariables([{ name: 'X', form: 'jdbc' }], login).X

  test('lead to loopback without TLS', () => {
    expect(jdbc(onLoopback(ORDERS))).toBe(
      'jdbc:postgresql://127.0.0.1:5433/shop%20%26%20co?user=app%40corp&sslmode=disable',
    )
    expect(jdbc({ ...onLoopback(LEDGER), dbname: 'shop' })).toBe(
      'jdbc:mariadb://127.0.0.1:3306/shop?user=app@corp&sslMode=disable',
    )
  })

  test('are refused for what the driver could not read', () => {
    for (const over of [{ dbname: 'shop & co' }, { dbname: 'shop', user: 'a&b' }])
      expect(() => jdbc({ ...onLoopback(LEDGER), ...over })).toThrow(
        'takes no &, ? or / in the name of a database, nor & in that of a user',
      )
  })
})

test('other URLs are that of DATABASE_URL', () => {
  expect(localUrlVariables([{ name: 'A', form: 'uri' }], LEDGER)).toEqual({ A: localUrl(LEDGER) })
})
