import { dirname, join } from 'node:path'
import { clientFamily } from './client-family.ts'
import type { ConnectAddress } from './connect-address.ts'
import { type EnvironmentChanges, environmentChanges } from './environment.ts'
import { type MysqlOptions, mysqlOptions } from './mysql-options.ts'
import type { TokenReply } from './token-reply.ts'

/** A file that clients read for a login. It contains no secret, unless `hasPasswordInFiles` asks for it. */
export interface LoginFile {
  /** A name, or a folder and a name. */
  name: string
  text: string
}

/** Writes a file that only this user can read, in a folder that only this user can write to; returns its path. */
export type PutFile = (file: LoginFile) => Promise<string>

/** All that a command needs to log in, complete before anything is written or started. */
export interface Login {
  reply: TokenReply
  connectAddress: ConnectAddress | undefined
  /** An absolute path; undefined if the reply's own CA bundle is to be written. */
  caFile: string | undefined
  /** Whether the option files of MySQL's clients contain the token; by default it is only in the environment. */
  hasPasswordInFiles?: boolean
}

/**
 * Writes the files of a login with `put`; returns the changes of an environment that refer to them. Without these files no
 * client of MySQL checks the server, so only with them may it send a token. Throws what `put` throws, and as `clientFamily` does.
 */
export async function putLoginFiles(
  { reply, connectAddress, caFile: givenCaFile, hasPasswordInFiles = false }: Login,
  put: PutFile,
): Promise<EnvironmentChanges> {
  const family = clientFamily(reply)
  const caFile = givenCaFile ?? (await put({ name: 'ca.pem', text: reply.ca?.pem ?? '' }))
  const { set, unset } = environmentChanges(reply, { caFile, connectAddress })
  if (family === 'postgres') return { set, unset }

  const password = hasPasswordInFiles ? { password: reply.token } : {}
  const options = mysqlOptions({ reply, caFile, connectAddress, ...password })
  const homes = await putMysqlOptions(options, put)
  return { set: { ...set, ...homes, LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1' }, unset }
}

/** Writes the option files of MySQL's and MariaDB's clients; returns the variables that lead these there, and to no other login. */
export async function putMysqlOptions(
  { mariadb, mysql }: MysqlOptions,
  put: PutFile,
): Promise<Record<string, string>> {
  // MySQL's clients ignore an option file that others may write to
  const mariadbHome = dirname(await put({ name: 'mariadb/my.cnf', text: mariadb }))
  const mysqlHome = dirname(await put({ name: 'mysql/my.cnf', text: mysql }))
  return {
    MARIADB_HOME: mariadbHome,
    MYSQL_HOME: mysqlHome,
    // a file that is not there: MySQL's clients would read ~/.mylogin.cnf last, and its user and password would win
    MYSQL_TEST_LOGIN_FILE: join(mysqlHome, 'no-login-paths'),
  }
}
