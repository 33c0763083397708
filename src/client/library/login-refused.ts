import { isJsonObject } from '../../lib/json.ts'

/** 28000 is PostgreSQL's for PAM and LDAP, which RDS asks; 28P01 for a password, which Prisma calls P1000. 1045 and 1698 are MySQL's and MariaDB's. */
const CODES: readonly unknown[] = ['28000', '28P01', 'P1000', 'ER_ACCESS_DENIED_ERROR']
const NUMBERS: readonly unknown[] = [1045, 1698]
/** RDS's own texts, and that of RDS Proxy, for who passes on nothing but the text. */
const TEXT = /(?:PAM|IAM|LDAP|password) authentication failed/i

/** Under which names libraries keep the error of the driver: of the language, Sequelize, TypeORM and Prisma. */
const INNER = ['cause', 'parent', 'original', 'driverError', 'meta', 'driverAdapterError'] as const
const MAX_DEPTH = 5

/**
 * Whether an error of a driver says that the database refused the password: of pg, postgres.js, mysql2 and mariadb, and of
 * what wraps them. After a token has ended, mysql2 says "using password: NO", which is recognised too.
 */
export function isLoginRefused(error: unknown): boolean {
  return saysRefused(error, MAX_DEPTH)
}

function saysRefused(error: unknown, depth: number): boolean {
  if (depth === 0 || !isJsonObject(error)) return false
  const { code, originalCode, errno, message } = error
  if (CODES.includes(code) || CODES.includes(originalCode) || NUMBERS.includes(errno)) return true
  if (typeof message === 'string' && TEXT.test(message)) return true
  return INNER.some(name => saysRefused(error[name], depth - 1))
}
