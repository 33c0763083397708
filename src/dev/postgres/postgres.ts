import { join } from 'node:path'
import { quotePostgresName } from '../../rds/account-sql.ts'
import type { LoginCheck } from '../aws/rds-verifier.ts'
import { createPrivateFolder } from '../private-folder.ts'
import type { Authority } from './certificate-authority.ts'
import { onFreePort, runIn, startDaemon } from './daemon.ts'
import { startLdap } from './ldap.ts'
import { findProgram } from './programs.ts'

export interface PostgresOptions {
  /** Issues the server's certificate. */
  readonly authority: Authority
  /** The names in its certificate: the RDS host names that it stands in for. */
  readonly hosts: readonly string[]
  /** The accounts that log in with a token. */
  readonly users: readonly string[]
  /** The name of its one database. */
  readonly database: string
  /** Statements that the superuser `rdsadmin` executes before it starts, each on one line. */
  readonly statements?: readonly string[]
  /** How many clients it lets in, a few of them only as superusers; default: 200. */
  readonly maxConnections?: number
  readonly check: LoginCheck
}

export interface Postgres {
  readonly port: number
  /** The folder of its socket, by which `rdsadmin` logs in without a password; a client may find its path too long. */
  readonly socketFolder: string
  /** Kills the server, as a failover does, and starts it again on its port. */
  restart(): Promise<void>
  /** Ends the server and removes everything it wrote. */
  close(): Promise<void>
}

/**
 * Starts a real PostgreSQL in a temporary folder. Members of `rds_iam` log in over TLS with a token as their password, which
 * the server passes by LDAP to `check` in this process; GRANT and REVOKE of that role count from the next login on, as on RDS.
 * Tokens over 65,530 bytes break the connection. Never run a client synchronously in this process: it would wait for itself.
 * Throws if PostgreSQL is not installed.
 */
export async function startPostgresServer(options: PostgresOptions): Promise<Postgres> {
  const { authority, hosts, check, maxConnections = 200 } = options
  const [initdb, postgres] = await Promise.all([findProgram('initdb'), findProgram('postgres')])
  const folder = await createPrivateFolder({ name: 'pg', preferred: ['postgres'] })
  const ldap = await startLdap(async (user, token) => (await check({ user, token })).ok)
  const data = join(folder.path, 'data')

  async function serve() {
    const args = ['-D', data, '-U', 'rdsadmin', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await runIn(folder, { file: initdb, args })
    await runIn(folder, {
      file: postgres,
      args: ['--single', '-D', data, '-F', '-c', 'exit_on_error=on', 'postgres'],
      input: [...accountStatements(options), ''].join('\n'),
    })
    const { certPem, keyPem } = authority.issue(hosts)
    await folder.put('data/server.pem', certPem)
    await folder.put('data/server-key.pem', keyPem)
    await folder.put('data/pg_hba.conf', accessRules(ldap.port))
    return onFreePort(async port => ({ port, daemon: await listen(port) }))
  }

  const listen = (port: number) =>
    startDaemon(folder, {
      file: postgres,
      // its socket is in its own folder, by a short name: a path of a socket has at most 107 bytes
      args: ['-D', data, '-k', '.', '-p', String(port), '-N', String(maxConnections), ...SETTINGS],
      // ignores Debian's /etc/ldap/ldap.conf
      env: { LDAPNOINIT: '1' },
      ready: /ready to accept connections/,
      signal: 'QUIT',
    })

  const release = async () => {
    await ldap.close()
    await folder.remove()
  }
  const server = await serve().catch(async cause => {
    await release()
    throw cause
  })
  return {
    port: server.port,
    socketFolder: data,
    async restart() {
      await server.daemon.stop()
      server.daemon = await listen(server.port)
    },
    async close() {
      await server.daemon.stop()
      await release()
    },
  }
}

function accountStatements({ database, users, statements = [] }: PostgresOptions): string[] {
  return [
    `CREATE DATABASE ${quotePostgresName(database)}`,
    'CREATE ROLE rds_iam',
    ...users.map(user => `CREATE USER ${quotePostgresName(user)} IN ROLE rds_iam`),
    ...statements,
  ]
}

const SETTINGS = [
  ['listen_addresses', '127.0.0.1'],
  ['ssl', 'on'],
  ['ssl_cert_file', 'server.pem'],
  ['ssl_key_file', 'server-key.pem'],
  ['fsync', 'off'],
].flatMap(([setting, value]) => ['-c', `${setting}=${value}`])

/** With an empty prefix and suffix the bound name is the bare user name, whatever characters it has. */
function accessRules(ldapPort: number): string {
  return `local     all rdsadmin trust
hostssl   all +rds_iam all ldap ldapserver=127.0.0.1 ldapport=${ldapPort} ldapprefix="" ldapsuffix=""
hostssl   all all      all scram-sha-256
hostnossl all all      all reject
`
}
