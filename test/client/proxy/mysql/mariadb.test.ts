import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createConnection as connectMariadb } from 'mariadb'
import { type ConnectionOptions, createConnection as connectMysql2 } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { VendedToken } from '../../../../src/client/library/types.ts'
import { createAuthority } from '../../../../src/dev/postgres/certificate-authority.ts'
import { createPrivateFolder, type PrivateFolder } from '../../../../src/dev/private-folder.ts'
import type { RealDatabase } from '../../../support/databases/database.ts'
import { canRun, hasProgram } from '../../../support/databases/install.ts'
import { startMariadb } from '../../../support/databases/mariadb.ts'
import { run } from '../../../support/run.ts'
import { type LocalProxy, type LocalProxyOptions, startLocalProxy } from './local-proxy.ts'

const HOST = 'orders.example.com'
const USER = 'app_ro'
const NSS_WRAPPER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libnss_wrapper.so`
/** Whose connections count as those of a host with a name: of 127.0.0.1, MariaDB counts nothing. */
const NAMED_ADDRESS = '127.0.0.2'
const MAX_CONNECT_ERRORS = 3
const MEGABYTE = 1024 * 1024

/** A JDK is too big to be installed for this alone. */
const hasJava = (await hasProgram('javac')) && (await canRun(['java-drivers']))
/** Logs in without a password and with one, to each port, and there does what pools and programs do. */
const JAVA_LOGINS = `
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

public final class Logins {
    static volatile boolean isAsleep;

    public static void main(String[] ports) throws Exception {
        for (String port : ports) for (String password : new String[] {"", "&password=any"})
            try (var connection = DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/?useServerPrepStmts=true&user=x" + password);
                    var row = connection.createStatement().executeQuery("SELECT current_user(), database()")) {
                row.next();
                System.out.println(row.getString(1) + " " + row.getString(2) + " " + work(connection));
            } catch (SQLException e) {
                System.out.println(e.getErrorCode() + " " + e.getSQLState() + " " + e.getMessage());
            }
    }

    static String work(Connection connection) throws Exception {
        var prepared = connection.prepareStatement("SELECT ? + 1");
        prepared.setInt(1, 41);
        var sum = prepared.executeQuery();
        sum.next();
        var sleeping = connection.createStatement();
        var canceller = new Thread(() -> {
            try {
                // nothing is cancelled before it has begun
                for (; isAsleep; Thread.sleep(20)) sleeping.cancel();
            } catch (Exception e) {
                e.printStackTrace();
            }
        });
        isAsleep = true;
        canceller.start();
        String end = "slept";
        try {
            sleeping.executeQuery("SELECT 1 FROM information_schema.tables WHERE sleep(60) = 1");
        } catch (SQLException e) {
            end = e.getSQLState();
        }
        isAsleep = false;
        canceller.join();
        return sum.getInt(1) + " " + end + " " + connection.isValid(5);
    }
}
`

const authority = createAuthority()
const closers: (() => Promise<unknown>)[] = []
let database: RealDatabase
let folder: PrivateFolder
let proxy: LocalProxy
let vends = 0

function vend(change: Partial<VendedToken> = {}): VendedToken {
  vends++
  return {
    token: `good ${'t'.repeat(1500)}`,
    database: 'ledger',
    engine: 'mariadb',
    host: HOST,
    port: 3306,
    connect: `127.0.0.1:${database.port}`,
    user: USER,
    dbname: database.database,
    fingerprint: `f${vends}`,
    ca: { pem: authority.caPem },
    ...change,
  }
}

async function openProxy(options: Partial<LocalProxyOptions> = {}): Promise<LocalProxy> {
  const opened = await startLocalProxy({ vend: () => vend(), callerName: 'repo:acme/app', ...options })
  closers.push(() => opened.close())
  return opened
}

const mysql2 = (options: ConnectionOptions = {}) =>
  connectMysql2({ socketPath: proxy.path, user: 'whoever', ...options })

const mariadb = (statement: string, ...args: readonly string[]) =>
  run('mariadb', ['--no-defaults', '-N', '-B', `-S${proxy.path}`, ...args, '-e', statement])

const ATTRIBUTES =
  'SELECT attr_name, attr_value FROM performance_schema.session_connect_attrs WHERE processlist_id = connection_id()'

describe.runIf(await canRun(['mariadb', 'mariadb-client', 'libnss-wrapper', 'python-drivers']))(
  'a real MariaDB',
  () => {
    beforeAll(async () => {
      folder = await createPrivateFolder({ name: 'test', preferred: ['mysql'] })
      const hosts = await folder.put('hosts', `127.0.0.1 localhost\n${NAMED_ADDRESS} app.example.com\n`)
      database = await startMariadb({
        authority,
        hosts: [HOST],
        users: [USER],
        check: ({ token }) =>
          token.startsWith('good') ? { ok: true, identity: 'anybody' } : { ok: false, reason: 'no' },
        settings: [
          '--performance-schema=ON',
          '--local-infile=ON',
          '--max-allowed-packet=64M',
          '--skip-name-resolve=OFF',
          `--max-connect-errors=${MAX_CONNECT_ERRORS}`,
        ],
        env: { LD_PRELOAD: NSS_WRAPPER, NSS_WRAPPER_HOSTS: hosts },
      })
      await database.admin(
        `GRANT SELECT ON performance_schema.* TO ${USER}@'%'; CREATE TABLE items (item VARCHAR(9)); CREATE DATABASE other`,
      )
      proxy = await openProxy()
    })
    afterAll(async () => {
      await Promise.all(closers.map(close => close()))
      await database?.close()
      await folder?.remove()
    })

    test('the mariadb command, with any name and password, and without: database, USE, character set, compression asked', async () => {
      const statement =
        'SELECT current_user(), database(), @@character_set_client; USE information_schema; SELECT database()'
      const args = ['-usomebody', '-pany', '--compress', '--default-character-set=latin1']
      const stdout = `${USER}@%\torders\tlatin1\ninformation_schema\n`
      expect(await mariadb(statement, ...args)).toEqual({ code: 0, stdout, stderr: '' })
      expect((await mariadb('SELECT 1')).stdout).toBe('1\n')
      const denied = await mariadb('SELECT 1', '-Dother')
      expect(denied.stderr).toBe(
        `ERROR 1044 (42000): Access denied for user '${USER}'@'%' to database 'other'\n`,
      )
    })

    test('the mariadb command: LOAD DATA LOCAL, and KILL QUERY, as for Ctrl-C, of a thread that a client was told', async () => {
      const file = await folder.put('items.txt', 'one\ntwo\n')
      const load = await mariadb(
        `LOAD DATA LOCAL INFILE '${file}' INTO TABLE items; SELECT count(*) FROM items`,
        '--local-infile=1',
      )
      expect(load).toMatchObject({ code: 0, stdout: '2\n' })
      const connection = await mysql2()
      const [[{ id }]] = (await connection.query('SELECT connection_id() AS id')) as never as [
        [{ id: number }],
      ]
      expect(connection.threadId).toBe(id)
      const sleeping = connection.query('SELECT sleep(60)').catch(cause => cause)
      await mariadb(`KILL QUERY ${connection.threadId}`)
      expect(await sleeping).toMatchObject({ code: 'ER_QUERY_INTERRUPTED' })
      await connection.end()
    })

    test('mysql2: prepared statements, COM_RESET_CONNECTION, a row of 20 MB, its own attributes and the caller’s name', async () => {
      for (const password of ['', 'any']) {
        const connection = await mysql2({ password, compress: true })
        await connection.query("SET @seen = 'before'")
        await connection.reset()
        expect((await connection.execute('SELECT ? + 1 AS sum, @seen AS seen', [41]))[0]).toEqual([
          { sum: 42, seen: null },
        ])
        const [rows] = await connection.query(`SELECT repeat('x', ${20 * MEGABYTE}) AS row`)
        expect((rows as { row: string }[])[0]?.row).toHaveLength(20 * MEGABYTE)
        const [found] = await connection.query(ATTRIBUTES)
        expect(found).toContainEqual({ attr_name: '_client_name', attr_value: 'Node-MySQL-2' })
        expect(found).toContainEqual({ attr_name: 'program_name', attr_value: 'repo:acme/app' })
        await connection.end()
      }
    })

    test('the mariadb connector: a batch, MariaDB’s own capabilities, and a packet of more than 16 MB', async () => {
      const connection = await connectMariadb({
        socketPath: proxy.path,
        user: 'x',
        password: 'any',
        compress: true,
      })
      await connection.query('CREATE TEMPORARY TABLE numbers (number INT)')
      await connection.batch(
        'INSERT INTO numbers VALUES (?)',
        Array.from({ length: 1000 }, (_, index) => [index]),
      )
      expect(await connection.query('SELECT count(*) AS found FROM numbers')).toEqual([{ found: 1000n }])
      const [{ length }] = await connection.query('SELECT length(?) AS length', ['y'.repeat(18 * MEGABYTE)])
      expect(length).toBe(18 * MEGABYTE)
      await connection.end()
    })

    test('PyMySQL', async () => {
      const program = await folder.put(
        'login.py',
        `import pymysql
for password in ['', 'any']:
    connection = pymysql.connect(unix_socket='${proxy.path}', user='x', password=password)
    cursor = connection.cursor()
    cursor.execute('SELECT current_user(), database()')
    print(cursor.fetchone())
`,
      )
      const line = `('${USER}@%', 'orders')\n`
      expect(await run('/usr/bin/python3', [program])).toEqual({ code: 0, stdout: line + line, stderr: '' })
    })

    test.runIf(hasJava)(
      'MariaDB Connector/J: a statement prepared by the server, one that is cancelled, a pool’s check; and how it shows an error in place of the greeting',
      async () => {
        const away = await openProxy({ vend: () => vend({ connect: '127.0.0.1:1' }) })
        const program = await folder.put('Logins.java', JAVA_LOGINS)
        const args = [
          '-cp',
          '/usr/share/java/mariadb-java-client.jar',
          program,
          String(proxy.port),
          String(away.port),
        ]
        const { stdout } = await run('java', args)
        const [first, second, ...errors] = stdout.trimEnd().split('\n')
        expect([first, second]).toEqual(Array(2).fill(`${USER}@% orders 42 70100 true`))
        expect(errors).toEqual(
          Array(2).fill(expect.stringMatching(/^-1 08000 .*jeton proxy: no session with 127\.0\.0\.1:1/)),
        )
      },
    )

    test('a client that ends its side gets the rest of the reply', async () => {
      const stream = connect(proxy.path)
      const connection = await mysql2({ stream })
      const asked = connection.query(
        `SELECT repeat('x', ${MEGABYTE}) AS row FROM (SELECT sleep(0.05)) AS late`,
      )
      stream.end()
      expect(((await asked)[0] as { row: string }[])[0]?.row).toHaveLength(MEGABYTE)
    })

    test('COM_CHANGE_USER: the database asks the client for a password in clear text, and not the proxy for a token', async () => {
      const connection = await mysql2()
      connection.on('error', () => {})
      const before = database.logins.length
      await expect(connection.changeUser({ user: USER, password: 'any' })).rejects.toMatchObject({
        code: 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED',
      })
      expect(database.logins).toHaveLength(before)
    })

    test('100 clients at once are one vend', async () => {
      vends = 0
      const own = await openProxy()
      const logIn = async () => {
        const connection = await mysql2({ socketPath: own.path })
        const [rows] = await connection.query('SELECT 1 AS one')
        await connection.end()
        return rows
      }
      const all = await Promise.all(Array.from({ length: 100 }, logIn))
      expect(all).toEqual(Array(100).fill([{ one: 1 }]))
      expect(vends).toBe(1)
    })

    test('without a database of the grant, clients have none unless they name one', async () => {
      const own = await openProxy({
        vend() {
          const { dbname: _, ...token } = vend()
          return token
        },
      })
      const [rows] = await (await mysql2({ socketPath: own.path })).query('SELECT database() AS name')
      expect(rows).toEqual([{ name: null }])
      const named = await mysql2({ socketPath: own.path, database: 'orders' })
      expect((await named.query('SELECT database() AS name'))[0]).toEqual([{ name: 'orders' }])
      await expect(mysql2({ socketPath: own.path, database: 'other' })).rejects.toMatchObject({
        errno: 1044,
        sqlState: '42000',
      })
    })

    test('a token that is refused is replaced by another, once', async () => {
      const refused: string[] = []
      const own = await openProxy({
        vend(last) {
          if (last) refused.push(last.token)
          return vend(last ? {} : { token: 'bad' })
        },
      })
      await (await mysql2({ socketPath: own.path })).end()
      expect(refused).toEqual(['bad'])
      const never = await openProxy({ vend: () => vend({ token: 'bad' }) })
      await expect(mysql2({ socketPath: never.path })).rejects.toMatchObject({
        errno: 1045,
        sqlState: '28000',
        message: `Access denied for user '${USER}'@'localhost' (using password: NO)`,
      })
    })

    test('an account with a password of its own gets no token in the wrong hands, and the client a sentence', async () => {
      const own = await openProxy({ vend: () => vend({ user: database.outsider.user }) })
      await expect(mysql2({ socketPath: own.path })).rejects.toMatchObject({
        errno: 1045,
        message: expect.stringMatching(
          /^jeton proxy: Access denied for user .*, before it asked for a token: the account has a password of its own, or does not exist for this host: .*; create the account, with AWSAuthenticationPlugin/,
        ),
      })
    })

    describe('errors in place of the greeting, as clients show them', () => {
      let away: LocalProxy
      beforeAll(async () => {
        away = await openProxy({ vend: () => vend({ connect: '127.0.0.1:1' }) })
      })
      const sentence = /jeton proxy: no session with 127\.0\.0\.1:1: .*ECONNREFUSED\); try again in a moment/

      test('the mariadb command, mysql2, the mariadb connector and PyMySQL', async () => {
        const { stderr } = await run('mariadb', ['--no-defaults', `-S${away.path}`, '-e', 'SELECT 1'])
        // newer ones believe no error before TLS, and show it all the same
        expect(stderr).toContain('1040')
        expect(stderr).toMatch(sentence)
        await expect(mysql2({ socketPath: away.path })).rejects.toMatchObject({
          code: 'ER_CON_COUNT_ERROR',
          errno: 1040,
          sqlState: '08004',
          message: expect.stringMatching(sentence),
        })
        await expect(connectMariadb({ socketPath: away.path, user: 'x' })).rejects.toMatchObject({
          errno: 1040,
          sqlState: '08004',
          message: expect.stringMatching(sentence),
        })
        const program = `import pymysql; pymysql.connect(unix_socket='${away.path}', user='x')`
        const python = await run('/usr/bin/python3', ['-c', program])
        expect(python.stderr).toMatch(/OperationalError: \(1040, /)
        expect(python.stderr).toMatch(sentence)
      })
    })

    test('a client that insists on TLS is told so, or says so itself', async () => {
      const { stderr } = await run('mariadb', [
        '--no-defaults',
        '-h127.0.0.1',
        `-P${proxy.port}`,
        '--ssl-verify-server-cert',
        '-e',
        'SELECT 1',
      ])
      expect(stderr).toContain('SSL is required, but the server does not support it')
      await expect(mysql2({ ssl: {} })).rejects.toMatchObject({ code: 'HANDSHAKE_NO_SSL_SUPPORT' })
    })

    describe('a host whose connections end before their login', () => {
      const errors = async () => {
        const rows = await database.admin(
          `SELECT sum_connect_errors AS errors FROM performance_schema.host_cache WHERE ip = '${NAMED_ADDRESS}'`,
        )
        return rows[0]?.errors
      }
      const unfinished = async () => {
        const rows = await database.admin(
          `SELECT count(*) AS found FROM information_schema.processlist WHERE host LIKE '${NAMED_ADDRESS}%' OR host LIKE 'app.example.com%' OR user = 'unauthenticated user'`,
        )
        return Number(rows[0]?.found)
      }
      const local = { localAddress: NAMED_ADDRESS }
      /** How clients go that say nothing, such as checks of the port. */
      const ways: Readonly<Record<string, (socket: Socket) => void>> = {
        'once they are greeted': socket => socket.once('data', () => socket.destroy()),
        'once they are greeted, by a reset': socket => socket.once('data', () => socket.resetAndDestroy()),
        'at once': socket => socket.destroy(),
        'at once, by a reset': socket => socket.resetAndDestroy(),
      }

      test.each(Object.entries(ways))(
        'is not blocked by the server for clients that go %s: the proxy logs in and out for them',
        async (_way, go) => {
          const own = await openProxy(local)
          const before = database.logins.length
          for (let times = 0; times < 3 * MAX_CONNECT_ERRORS; times++) {
            const socket = connect(own.port, '127.0.0.1')
            socket.on('error', () => {}).once('connect', () => go(socket))
            await once(socket, 'close')
          }
          await expect.poll(() => database.logins.length).toBeGreaterThan(before)
          await expect.poll(unfinished).toBe(0)
          expect(await errors()).toBe(0)
          await (await mysql2({ socketPath: own.path })).end()
        },
      )

      test('nor does one count that is silent for longer than the proxy waits', async () => {
        const own = await openProxy({ ...local, maxWaitingMs: 20 })
        const before = database.logins.length
        const silent = connect(own.port, '127.0.0.1')
        await expect.poll(() => database.logins.length).toBe(before + 1)
        // it may still log in: another connection is made for it
        silent.destroy()
        expect(await errors()).toBe(0)
      })
    })
  },
)
