import type { ConnectAddress } from './connect-address.ts'
import type { LocalLogin } from './local-login.ts'
import type { TokenReply } from './token-reply.ts'

/** What a MySQL client needs for a login. */
export interface MysqlLogin {
  reply: TokenReply
  caFile: string
  connectAddress?: ConnectAddress | undefined
  /** The token; unless given, it comes from the environment. */
  password?: string
}

/** The text of a `my.cnf` for each family of clients. It contains no secret but the password, if that was given. */
export interface MysqlOptions {
  /** For the folder that MARIADB_HOME names. MariaDB's clients read it and then ignore MYSQL_HOME. */
  mariadb: string
  /** For the folder that MYSQL_HOME names: MySQL's clients, and those of MariaDB that do not know MARIADB_HOME. */
  mysql: string
}

/**
 * Returns option files that make command-line clients use TLS and check the certificate and its name before they send the
 * token; without these they would send it to any server, even in clear text. `~/.my.cnf` is read later and wins. The name
 * checked is the one connected to: through a tunnel, RDS's certificate passes only if RDS's own name leads to the tunnel.
 * https://dev.mysql.com/doc/refman/8.4/en/option-files.html
 * https://mariadb.com/docs/server/server-management/install-and-upgrade-mariadb/configuring-mariadb/configuring-mariadb-with-option-files
 */
export function mysqlOptions({ reply, caFile, connectAddress, password }: MysqlLogin): MysqlOptions {
  const lines = [
    '[client]',
    // otherwise `localhost` means a Unix socket
    'protocol=TCP',
    `host=${quote(connectAddress?.host ?? reply.host)}`,
    `port=${connectAddress?.port ?? reply.port}`,
    `user=${quote(reply.user)}`,
    ...(password === undefined ? [] : [`password=${quote(password)}`]),
    `ssl-ca=${quote(caFile)}`,
  ]
  const database = databaseLines(reply)
  return {
    mariadb: joinLines([...lines, 'ssl-verify-server-cert', ...database]),
    // with `loose-`, a client that does not know the option only warns
    mysql: joinLines([
      ...lines,
      'loose-ssl-mode=VERIFY_IDENTITY',
      'loose-ssl-verify-server-cert',
      'loose-enable-cleartext-plugin',
      ...database,
    ]),
  }
}

/**
 * Returns option files that lead command-line clients to `jeton proxy`. They ask it for no TLS, which it does not offer: it is on
 * this machine, and speaks TLS with the database.
 */
export function localMysqlOptions(login: LocalLogin): MysqlOptions {
  const { socket, user, port } = login
  const address =
    socket === undefined
      ? ['protocol=TCP', 'host=127.0.0.1']
      : ['protocol=SOCKET', 'host=localhost', `socket=${quote(socket)}`]
  const lines = ['[client]', ...address, `port=${port}`, `user=${quote(user)}`]
  const database = databaseLines(login)
  return {
    mariadb: joinLines([...lines, 'skip-ssl', 'skip-ssl-verify-server-cert', ...database]),
    mysql: joinLines([...lines, 'loose-ssl-mode=DISABLED', ...database]),
  }
}

/** Not in [client]: clients that work on the whole server refuse `database`. */
function databaseLines({ dbname }: Pick<TokenReply, 'dbname'>): string[] {
  return dbname === undefined ? [] : ['[mysql]', `database=${quote(dbname)}`]
}

function joinLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

/** Clients strip only the outer quotes, and within them `#` begins no comment. `TokenReply` has no control characters. */
function quote(value: string): string {
  return `"${value.replaceAll('\\', '\\\\')}"`
}
