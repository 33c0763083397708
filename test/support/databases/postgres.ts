import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { onFreePort, runAt, startDaemon } from './daemon.ts'
import { type DatabaseOptions, type RealDatabase, recorded } from './database.ts'
import { startLdap } from './ldap.ts'
import { findProgram } from './programs.ts'
import { createHome } from './server-folder.ts'

/**
 * A real PostgreSQL in a temporary folder. Members of `rds_iam` log in over TLS with a token as their password, which the
 * server hands by LDAP to `check` in this process; GRANT and REVOKE of that role work at the next login, as on RDS.
 * Tokens over 65,530 bytes break the connection. Never run a client synchronously in this process: it would wait for itself.
 * Throws where PostgreSQL is not installed.
 */
export async function startPostgres(options: DatabaseOptions): Promise<RealDatabase> {
  const { authority, hosts, users, database = 'orders' } = options
  const { logins, judge } = recorded(options.check)
  const outsider = { user: 'no_rds_iam', password: randomBytes(12).toString('hex') }
  const [initdb, postgres] = await Promise.all([findProgram('initdb'), findProgram('postgres')])
  const home = await createHome({ name: 'pg', preferred: ['postgres'] })
  const ldap = await startLdap(async (user, token) => (await judge({ user, token })).ok)
  const data = join(home.folder, 'data')

  async function serve() {
    const args = ['-D', data, '-U', 'rdsadmin', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await runAt(home, { file: initdb, args })
    const { certPem, keyPem } = authority.issue(hosts)
    await home.put('data/server.pem', certPem)
    await home.put('data/server-key.pem', keyPem)
    await home.put('data/pg_hba.conf', accessRules(ldap.port))
    return onFreePort(async port => {
      const daemon = await startDaemon(home, {
        file: postgres,
        args: ['-D', data, '-k', home.folder, '-p', String(port), ...SETTINGS],
        // Debian's /etc/ldap/ldap.conf is no part of a test.
        env: { LDAPNOINIT: '1' },
        ready: /ready to accept connections/,
        signal: 'QUIT',
      })
      return { port, daemon }
    })
  }

  const release = async () => {
    await ldap.close()
    await home.remove()
  }
  const { port, daemon } = await serve().catch(async cause => {
    await release()
    throw cause
  })
  const close = async () => {
    await daemon.stop()
    await release()
  }

  async function admin(sql: string, at = database): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: home.folder, port, user: 'rdsadmin', database: at, ssl: false })
    await client.connect()
    try {
      // Several statements give several results, which the types do not say.
      const results = [await client.query(sql)].flat() as pg.QueryResult<Record<string, unknown>>[]
      return results.at(-1)?.rows ?? []
    } finally {
      await client.end()
    }
  }

  try {
    const { escapeIdentifier: name, escapeLiteral: text } = pg
    await admin(`CREATE DATABASE ${name(database)}`, 'postgres')
    await admin(
      [
        'CREATE ROLE rds_iam',
        `CREATE USER ${name(outsider.user)} PASSWORD ${text(outsider.password)}`,
        ...users.map(user => `CREATE USER ${name(user)} IN ROLE rds_iam`),
      ].join(';'),
    )
  } catch (cause) {
    await close()
    throw cause
  }
  return { port, database, logins, outsider, admin, close }
}

const SETTINGS = [
  ['listen_addresses', '127.0.0.1'],
  ['ssl', 'on'],
  ['ssl_cert_file', 'server.pem'],
  ['ssl_key_file', 'server-key.pem'],
  ['fsync', 'off'],
  ['max_connections', '200'],
].flatMap(([setting, value]) => ['-c', `${setting}=${value}`])

/** With an empty prefix and suffix the name that is bound is the bare user name, whatever characters it has. */
function accessRules(ldapPort: number): string {
  return `local     all rdsadmin trust
hostssl   all +rds_iam all ldap ldapserver=127.0.0.1 ldapport=${ldapPort} ldapprefix="" ldapsuffix=""
hostssl   all all      all scram-sha-256
hostnossl all all      all reject
`
}
