import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { startPostgresServer } from '../../../src/dev/postgres/postgres.ts'
import { type DatabaseOptions, type RealDatabase, recordLogins } from './database.ts'

/** Starts the PostgreSQL of `jeton demo` with an account more. Throws if PostgreSQL is not installed. */
export async function startPostgres(options: DatabaseOptions): Promise<RealDatabase> {
  const { authority, hosts, users, database = 'orders', maxConnections } = options
  const { logins, check } = recordLogins(options.check)
  const outsider = { user: 'no_rds_iam', password: randomBytes(12).toString('hex') }
  const { port, socketFolder, restart, close } = await startPostgresServer({
    authority,
    hosts,
    users,
    database,
    ...(maxConnections !== undefined && { maxConnections }),
    check,
    statements: [`CREATE USER ${outsider.user} PASSWORD '${outsider.password}'`],
  })

  async function admin(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: socketFolder, port, user: 'rdsadmin', database, ssl: false })
    await client.connect()
    try {
      // Several statements have several results, which the types do not say.
      const results = [await client.query(sql)].flat() as pg.QueryResult<Record<string, unknown>>[]
      return results.at(-1)?.rows ?? []
    } finally {
      await client.end()
    }
  }
  return { port, database, logins, outsider, admin, restart, close }
}
