import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { onFreePort, runAt, startDaemon } from './daemon.ts'
import { type DatabaseOptions, type RealDatabase, recorded } from './database.ts'
import { systemTables } from './mariadb-tables.ts'
import { findProgram } from './programs.ts'
import { answerPlugin } from './rds-verifier-socket.ts'
import { createHome } from './server-folder.ts'

const PLUGIN = 'AWSAuthenticationPlugin'
const PLUGIN_SOURCE = new URL('../../world/aws-authentication-plugin.c', import.meta.url)

/**
 * A real MariaDB in a temporary folder. Accounts made by RDS's own `CREATE USER … IDENTIFIED WITH AWSAuthenticationPlugin
 * AS 'RDS' REQUIRE SSL` log in with a token as their clear-text password, which a plugin, compiled here and now, hands to
 * `check` in this process. Never run a client synchronously in this process: it would wait for itself.
 * Throws where MariaDB or a C compiler is not installed.
 */
export async function startMariadb(options: DatabaseOptions): Promise<RealDatabase> {
  const { authority, hosts, users, database = 'orders' } = options
  const { logins, judge } = recorded(options.check)
  const outsider = { user: 'no_rds_iam', password: randomBytes(12).toString('hex') }
  const rdsadmin = { user: 'rdsadmin', password: randomBytes(12).toString('hex') }
  const [mariadbd, gcc] = await Promise.all([findProgram('mariadbd'), findProgram('gcc')])
  const home = await createHome({ name: 'my', preferred: ['mysql'] })
  const at = (name: string) => join(home.folder, name)
  const plugin = await answerPlugin({
    home,
    name: 'judge',
    check: async (user, token) => (await judge({ user, token })).ok,
  })

  async function serve() {
    const source = await home.put('plugin.c', await readFile(PLUGIN_SOURCE, 'utf8'))
    const data = `--datadir=${at('data')}`
    await runAt(home, { file: 'mkdir', args: ['-p', 'data/mysql'] })
    await Promise.all([
      runAt(home, { file: gcc, args: ['-O2', '-shared', '-fPIC', '-o', at(`${PLUGIN}.so`), source] }),
      runAt(home, {
        file: mariadbd,
        args: ['--no-defaults', '--bootstrap', data],
        input: await systemTables(),
      }),
    ])
    const { certPem, keyPem } = authority.issue(hosts)
    const accounts = [
      "DELETE FROM mysql.global_priv WHERE Host <> 'localhost' OR User <> 'mariadb.sys';",
      'FLUSH PRIVILEGES;',
      `CREATE DATABASE ${name(database)};`,
      `CREATE USER 'rdsadmin'@'localhost' IDENTIFIED BY '${rdsadmin.password}';`,
      "GRANT ALL ON *.* TO 'rdsadmin'@'localhost' WITH GRANT OPTION;",
      `CREATE USER '${outsider.user}'@'%' IDENTIFIED BY '${outsider.password}' REQUIRE SSL;`,
      ...users.flatMap(user => [
        `CREATE USER ${text(user)}@'%' IDENTIFIED WITH ${PLUGIN} AS 'RDS' REQUIRE SSL;`,
        `GRANT ALL ON ${name(database)}.* TO ${text(user)}@'%';`,
      ]),
    ]
    return onFreePort(async port => {
      const daemon = await startDaemon(home, {
        file: mariadbd,
        args: [
          '--no-defaults',
          data,
          `--port=${port}`,
          '--bind-address=127.0.0.1',
          `--socket=${at('mariadb.sock')}`,
          `--pid-file=${at('mariadb.pid')}`,
          `--ssl-cert=${await home.put('server.pem', certPem)}`,
          `--ssl-key=${await home.put('server-key.pem', keyPem)}`,
          `--ssl-ca=${await home.put('ca.pem', authority.caPem)}`,
          '--skip-name-resolve',
          `--init-file=${await home.put('accounts.sql', accounts.join('\n'))}`,
          `--plugin-dir=${home.folder}`,
          `--plugin-load-add=${PLUGIN}`,
          '--max-connections=200',
        ],
        env: { JETON_JUDGE: plugin.path },
        ready: /ready for connections/,
        signal: 'KILL',
      })
      return { port, daemon }
    })
  }

  const release = async () => {
    await plugin.close()
    await home.remove()
  }
  const { port, daemon } = await serve().catch(async cause => {
    await release()
    throw cause
  })

  return {
    port,
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
        const [answered] = await connection.query(sql)
        const rows = Array.isArray(answered) ? answered : []
        // One result for each statement where there are several.
        const last: unknown = Array.isArray(rows.at(-1)) ? rows.at(-1) : rows
        return last as Record<string, unknown>[]
      } finally {
        await connection.end()
      }
    },
    async close() {
      await daemon.stop()
      await release()
    },
  }
}

const name = (identifier: string) => `\`${identifier.replaceAll('`', '``')}\``
const text = (literal: string) => `'${literal.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
