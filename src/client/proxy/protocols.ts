import { createMysqlProxy } from './mysql/mysql-proxy.ts'
import { createPostgresProxy } from './postgres/postgres-proxy.ts'
import type { Protocols } from './proxy.ts'

/** What the proxy speaks. */
export const PROTOCOLS: Protocols = { postgres: createPostgresProxy, mysql: createMysqlProxy }
