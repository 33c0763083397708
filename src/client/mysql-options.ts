import type { Dial } from './dial.ts'
import type { TokenReply } from './token-reply.ts'

export interface MysqlOptionsInput {
  reply: TokenReply
  caFile: string
  dial?: Dial | undefined
}

/** One `my.cnf` for each family of clients. No secret is in them. */
export interface MysqlOptions {
  /** For the folder that MARIADB_HOME names: MariaDB's clients read it and then leave MYSQL_HOME alone. */
  mariadb: string
  /** For the folder that MYSQL_HOME names: MySQL's clients, and MariaDB's that do not know MARIADB_HOME. */
  mysql: string
}

/**
 * Option files that make the command-line clients use TLS, check the server's certificate and its name, and only then send
 * the token: environment variables alone cannot, and without this they send it to whoever answers, even in clear.
 * `~/.my.cnf` is read later and wins where it says otherwise. The name that is checked is the one that is dialled: through
 * a tunnel the clients refuse RDS's certificate, unless the tunnel's host is RDS's own name, resolved to the tunnel.
 * https://dev.mysql.com/doc/refman/8.4/en/option-files.html
 * https://mariadb.com/docs/server/server-management/install-and-upgrade-mariadb/configuring-mariadb/configuring-mariadb-with-option-files
 */
export function mysqlOptions({ reply, caFile, dial }: MysqlOptionsInput): MysqlOptions {
  const lines = [
    '[client]',
    // `localhost` would else mean a Unix socket.
    'protocol=TCP',
    `host=${quoted(dial?.host ?? reply.host)}`,
    `port=${dial?.port ?? reply.port}`,
    `user=${quoted(reply.user)}`,
    `ssl-ca=${quoted(caFile)}`,
  ]
  // Not in [client]: clients that work on the whole server refuse `database`.
  const database = reply.dbname === undefined ? [] : ['[mysql]', `database=${quoted(reply.dbname)}`]
  return {
    mariadb: text([...lines, 'ssl-verify-server-cert', ...database]),
    // `loose-` makes of an option that a client does not know a warning.
    mysql: text([
      ...lines,
      'loose-ssl-mode=VERIFY_IDENTITY',
      'loose-ssl-verify-server-cert',
      'loose-enable-cleartext-plugin',
      ...database,
    ]),
  }
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

/** Only the outer quotes are taken off, and within them `#` begins no comment; control characters never get here. */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\')}"`
}
