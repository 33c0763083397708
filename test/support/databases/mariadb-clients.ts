import { connect } from 'node:net'
import { type ConnectionConfig, createConnection as connectMariadb } from 'mariadb'
import { type ConnectionOptions, createConnection as connectMysql2 } from 'mysql2/promise'

const WHO_AM_I =
  "SELECT CURRENT_USER() AS name, variable_value <> '' AS tls FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'"

/**
 * Logs in to `orders` on 127.0.0.1 with mysql2; returns the user and whether TLS is used, as the server sees it. mysql2
 * verifies the certificate for `host`, so a stream leads to where the server really listens.
 */
export async function logInWithMysql2(port: number, options: ConnectionOptions): Promise<unknown> {
  const connection = await connectMysql2({
    stream: () => connect(port, '127.0.0.1'),
    database: 'orders',
    enableCleartextPlugin: true,
    ...options,
  })
  const [rows] = await connection.query(WHO_AM_I)
  await connection.end()
  return (rows as unknown[])[0]
}

/** Logs in to `orders` on 127.0.0.1 with the mariadb connector; returns what `logInWithMysql2` returns. */
export async function logInWithMariadb(port: number, options: ConnectionConfig): Promise<unknown> {
  const connection = await connectMariadb({ host: '127.0.0.1', port, database: 'orders', ...options })
  const rows = await connection.query(WHO_AM_I)
  await connection.end()
  return rows[0]
}

/**
 * TLS options of the mariadb connector, whose types do not know `servername`. Without it, and with a `stream`, it verifies
 * the certificate for "localhost" in the handshake, and for `host` only after it has sent the token.
 */
export const mariadbTls = (ssl: { ca: string; servername: string }) => ssl
