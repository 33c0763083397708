import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { onFreePort, runIn, startDaemon } from '../../../src/dev/postgres/daemon.ts'
import { findProgram } from '../../../src/dev/postgres/programs.ts'
import { createPrivateFolder } from '../../../src/dev/private-folder.ts'
import { type DatabaseOptions, type RealDatabase, recordLogins } from './database.ts'
import { readSystemTables } from './mariadb-tables.ts'
import { startVerifierSocket } from './rds-verifier-socket.ts'

const PLUGIN = 'AWSAuthenticationPlugin'
const PLUGIN_SOURCE = new URL('./aws-authentication-plugin.c', import.meta.url)

export interface MariadbOptions extends DatabaseOptions {
  /** As on the command line of the server, after those that it gets anyway. */
  readonly settings?: readonly string[]
  /** Variables of the server's environment. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts a real MariaDB in a temporary folder. Accounts of RDS's own `CREATE USER … IDENTIFIED WITH AWSAuthenticationPlugin
 * AS 'RDS' REQUIRE SSL` log in with a token as their clear-text password, which a plugin, compiled on the spot, passes to
 * `check` in this process. Never run a client synchronously in this process: it would wait for itself.
 * Throws if MariaDB or a C compiler is not installed.
 */
export async function startMariadb(options: MariadbOptions): Promise<RealDatabase> {
  const { authority, hosts, users, database = 'orders' } = options
  const { logins, check } = recordLogins(options.check)
  const outsider = { user: 'no_rds_iam', password: randomBytes(12).toString('hex') }
  const rdsadmin = { user: 'rdsadmin', password: randomBytes(12).toString('hex') }
  const [mariadbd, gcc] = await Promise.all([findProgram('mariadbd'), findProgram('gcc')])
  const serverFolder = await createPrivateFolder({ name: 'my', preferred: ['mysql'] })
  const at = (name: string) => join(serverFolder.path, name)
  const verifier = await startVerifierSocket({
    serverFolder,
    name: 'verifier.sock',
    check: async (user, token) => (await check({ user, token })).ok,
  })

  async function serve() {
    const source = await serverFolder.put('plugin.c', await readFile(PLUGIN_SOURCE, 'utf8'))
    const data = `--datadir=${at('data')}`
    // in a folder that several servers share, one that starts removes the temporary tables of the others
    const temporary = `--tmpdir=${at('tmp')}`
    await runIn(serverFolder, { file: 'mkdir', args: ['-p', 'data/mysql', 'tmp'] })
    await Promise.all([
      runIn(serverFolder, { file: gcc, args: ['-O2', '-shared', '-fPIC', '-o', at(`${PLUGIN}.so`), source] }),
      runIn(serverFolder, {
        file: mariadbd,
        args: ['--no-defaults', '--bootstrap', data, temporary],
        input: await readSystemTables(),
      }),
    ])
    const { certPem, keyPem } = authority.issue(hosts)
    const accounts = [
      "DELETE FROM mysql.global_priv WHERE Host <> 'localhost' OR User <> 'mariadb.sys';",
      'FLUSH PRIVILEGES;',
      `CREATE DATABASE ${quoteName(database)};`,
      `CREATE USER 'rdsadmin'@'localhost' IDENTIFIED BY '${rdsadmin.password}';`,
      "GRANT ALL ON *.* TO 'rdsadmin'@'localhost' WITH GRANT OPTION;",
      `CREATE USER '${outsider.user}'@'%' IDENTIFIED BY '${outsider.password}' REQUIRE SSL;`,
      ...users.flatMap(user => [
        `CREATE USER ${quoteText(user)}@'%' IDENTIFIED WITH ${PLUGIN} AS 'RDS' REQUIRE SSL;`,
        `GRANT ALL ON ${quoteName(database)}.* TO ${quoteText(user)}@'%';`,
      ]),
    ]
    const settings = [
      `--ssl-cert=${await serverFolder.put('server.pem', certPem)}`,
      `--ssl-key=${await serverFolder.put('server-key.pem', keyPem)}`,
      `--ssl-ca=${await serverFolder.put('ca.pem', authority.caPem)}`,
    ]
    const listen = (port: number, args: readonly string[] = []) =>
      startDaemon(serverFolder, {
        file: mariadbd,
        args: [
          '--no-defaults',
          data,
          temporary,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          `--socket=${at('mariadb.sock')}`,
          `--pid-file=${at('mariadb.pid')}`,
          ...settings,
          '--skip-name-resolve',
          `--plugin-dir=${serverFolder.path}`,
          `--plugin-load-add=${PLUGIN}`,
          '--max-connections=200',
          ...(options.settings ?? []),
          ...args,
        ],
        env: { ...options.env, JETON_RDS_VERIFIER: verifier.path },
        ready: /ready for connections/,
        signal: 'KILL',
      })
    const initFile = `--init-file=${await serverFolder.put('accounts.sql', accounts.join('\n'))}`
    return onFreePort(async port => ({ port, listen, daemon: await listen(port, [initFile]) }))
  }

  const release = async () => {
    await verifier.close()
    await serverFolder.remove()
  }
  const server = await serve().catch(async cause => {
    await release()
    throw cause
  })

  return {
    port: server.port,
    database,
    logins,
    outsider,
    async admin(sql) {
      const connection = await createConnection({
        socketPath: at('mariadb.sock'),
        database,
        ...rdsadmin,
        multipleStatements: true,
      })
      try {
        const [result] = await connection.query(sql)
        const rows = Array.isArray(result) ? result : []
        // Several statements have one result each.
        const last: unknown = Array.isArray(rows.at(-1)) ? rows.at(-1) : rows
        return last as Record<string, unknown>[]
      } finally {
        await connection.end()
      }
    },
    async restart() {
      await server.daemon.stop()
      server.daemon = await server.listen(server.port)
    },
    async close() {
      await server.daemon.stop()
      await release()
    },
  }
}

const quoteName = (identifier: string) => `\`${identifier.replaceAll('`', '``')}\``
const quoteText = (literal: string) => `'${literal.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
