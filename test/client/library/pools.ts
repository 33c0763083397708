import { createPool as createMariadbPool } from 'mariadb'
import { createPool as createMysql2Pool } from 'mysql2/promise'
import pg from 'pg'
import type { Tokens } from '../../../src/client/library/types.ts'

/** A pool as its user sees it. */
export interface UserPool {
  /** Asks the database as whom it is logged in, and on which connection, which takes 20 ms. */
  query(): Promise<{ name: string; connection: number }>
  end(): Promise<unknown>
}

/** A driver, and how its own pool is opened with the options of `jeton/client`. */
export interface PoolDriver {
  readonly database: 'orders' | 'ledger'
  open(tokens: Tokens, size: number): Promise<UserPool>
}

const MARIADB_SQL =
  "SELECT substring_index(current_user(), '@', 1) AS name, connection_id() AS connection, sleep(0.02)"
const POSTGRES_SQL = 'SELECT current_user AS name, pg_backend_pid() AS connection, pg_sleep(0.02)'

function firstOf(rows: unknown) {
  const [{ name, connection }] = rows as [{ name: string; connection: number | bigint }]
  return { name, connection: Number(connection) }
}

export const POOL_DRIVERS: Readonly<Record<string, PoolDriver>> = {
  pg: {
    database: 'orders',
    async open(tokens, size) {
      const pool = new pg.Pool({ ...(await tokens.pg()), max: size })
      // of connections that wait for work
      pool.on('error', () => {})
      return { query: async () => firstOf((await pool.query(POSTGRES_SQL)).rows), end: () => pool.end() }
    },
  },
  mysql2: {
    database: 'ledger',
    async open(tokens, size) {
      const pool = createMysql2Pool({ ...(await tokens.mysql2()), connectionLimit: size })
      return { query: async () => firstOf((await pool.query(MARIADB_SQL))[0]), end: () => pool.end() }
    },
  },
  mariadb: {
    database: 'ledger',
    async open(tokens, size) {
      // with more, it logs in before anybody asks it to
      const limits = { connectionLimit: size, minimumIdle: 1 }
      const pool = createMariadbPool({ ...(await tokens.mariadb()), ...limits })
      return { query: async () => firstOf(await pool.query(MARIADB_SQL)), end: () => pool.end() }
    },
  },
}
