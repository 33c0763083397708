import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { onFreePort, runIn, startDaemon } from './daemon.ts'
import { type DatabaseOptions, type RealDatabase, recordLogins } from './database.ts'
import { startLdap } from './ldap.ts'
import { findProgram } from './programs.ts'
import { createServerFolder } from './server-folder.ts'

/**
 * Starts a real PostgreSQL in a temporary folder. Members of `rds_iam` log in over TLS with a token as their password, which
 * the server passes by LDAP to `check` in this process; GRANT and REVOKE of that role count from the next login on, as on RDS.
 * Tokens over 65,530 bytes break the connection. Never run a client synchronously in this process: it would wait for itself.
 * Throws if PostgreSQL is not installed.
 */
export async function startPostgres(options: DatabaseOptions): Promise<RealDatabase> {
  const { authority, hosts, users, database = 'orders' } = options
  const { logins, check } = recordLogins(options.check)
  const outsider = { user: 'no_rds_iam', password: randomBytes(12).toString('hex') }
  const [initdb, postgres] = await Promise.all([findProgram('initdb'), findProgram('postgres')])
  const serverFolder = await createServerFolder({ name: 'pg', preferred: ['postgres'] })
  const ldap = await startLdap(async (user, token) => (await check({ user, token })).ok)
  const data = join(serverFolder.path, 'data')

  async function serve() {
    const args = ['-D', data, '-U', 'rdsadmin', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await runIn(serverFolder, { file: initdb, args })
    const { certPem, keyPem } = authority.issue(hosts)
    await serverFolder.put('data/server.pem', certPem)
    await serverFolder.put('data/server-key.pem', keyPem)
    await serverFolder.put('data/pg_hba.conf', accessRules(ldap.port))
    return onFreePort(async port => {
      const daemon = await startDaemon(serverFolder, {
        file: postgres,
        args: ['-D', data, '-k', serverFolder.path, '-p', String(port), ...SETTINGS],
        // Ignore Debian's /etc/ldap/ldap.conf.
        env: { LDAPNOINIT: '1' },
        ready: /ready to accept connections/,
        signal: 'QUIT',
      })
      return { port, daemon }
    })
  }

  const release = async () => {
    await ldap.close()
    await serverFolder.remove()
  }
  const { port, daemon } = await serve().catch(async cause => {
    await release()
    throw cause
  })
  const close = async () => {
    await daemon.stop()
    await release()
  }

  async function admin(sql: string, inDatabase = database): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      host: serverFolder.path,
      port,
      user: 'rdsadmin',
      database: inDatabase,
      ssl: false,
    })
    await client.connect()
    try {
      // Several statements have several results, which the types do not say.
      const results = [await client.query(sql)].flat() as pg.QueryResult<Record<string, unknown>>[]
      return results.at(-1)?.rows ?? []
    } finally {
      await client.end()
    }
  }

  try {
    const { escapeIdentifier: quoteName, escapeLiteral: quoteText } = pg
    await admin(`CREATE DATABASE ${quoteName(database)}`, 'postgres')
    await admin(
      [
        'CREATE ROLE rds_iam',
        `CREATE USER ${quoteName(outsider.user)} PASSWORD ${quoteText(outsider.password)}`,
        ...users.map(user => `CREATE USER ${quoteName(user)} IN ROLE rds_iam`),
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

/** With an empty prefix and suffix the bound name is the bare user name, whatever characters it has. */
function accessRules(ldapPort: number): string {
  return `local     all rdsadmin trust
hostssl   all +rds_iam all ldap ldapserver=127.0.0.1 ldapport=${ldapPort} ldapprefix="" ldapsuffix=""
hostssl   all all      all scram-sha-256
hostnossl all all      all reject
`
}
