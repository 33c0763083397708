import { CHECK_POLICY, type KnownRefusal, READ_RDS_LOG } from './known-refusal.ts'

const ACCOUNT = 'create the account, with AWSAuthenticationPlugin, as `jeton sql DATABASE` prints it'

/** What MySQL, MariaDB and RDS Proxy say. The first that fits counts. */
export const MYSQL_REFUSALS: readonly KnownRefusal[] = [
  {
    says: 'Access denied for user …, before it asked for a token',
    codes: ['1045'],
    text: /before it asked for a token$/,
    means:
      'the account has a password of its own, or does not exist for this host: the server asked for no token',
    remedies: [
      ACCOUNT,
      '`SELECT user, host, plugin FROM mysql.user` shows which account counts: the one with the most specific host wins over one at %',
    ],
  },
  {
    says: 'Access denied for user … (using password: YES)',
    codes: ['1045'],
    text: /using password: YES/,
    means: 'RDS did not accept the token, for whatever reason: it says no more',
    remedies: [
      CHECK_POLICY,
      'if the token was kept for a while, it has expired: use it within 15 minutes, and check it by `jeton decode`',
      'it must be for this endpoint, port and user, and whole: `jeton decode --user USER --host HOST:PORT`',
      'the client must use TLS: the account has REQUIRE SSL',
      READ_RDS_LOG,
    ],
  },
  {
    says: 'Access denied for user … (using password: NO)',
    codes: ['1045'],
    text: /using password: NO/,
    means:
      'misleading: the server says NO after a token in clear text, too, because it counts only passwords that it hashes. The token was not accepted, such as after its 15 minutes, or there was none',
    remedies: [
      'request a token for each new connection: a pool that keeps its first one is refused after 15 minutes',
      CHECK_POLICY,
      'is the password really set? `jeton decode` reads what the program has',
      READ_RDS_LOG,
    ],
  },
  {
    says: 'Access denied for user … to database …',
    codes: ['1044', '1142'],
    means: 'the token was accepted; the account has no privilege on the database',
    remedies: ['`GRANT … ON DBNAME.* TO USER`: accounts of `jeton sql` may do nothing at first'],
  },
  {
    says: 'Unknown database …',
    codes: ['1049'],
    means: 'the token was accepted; the database in this server has another name',
    remedies: ['set `dbname` in the configuration of jeton, or name the right one'],
  },
  {
    says: 'the server asks for the plugin … and not for a token',
    text: /^the server asks for .* and not for a token$/,
    means: 'the account does not log in by IAM',
    remedies: [ACCOUNT, 'of an RDS proxy: set IAM authentication to required'],
  },
  {
    says: "Plugin 'AWSAuthenticationPlugin' is not loaded",
    codes: ['1524'],
    means: 'IAM authentication is off, or this is not RDS',
    remedies: ['switch IAM authentication on for the instance or the cluster'],
  },
  {
    says: 'Client does not support authentication protocol requested by server',
    codes: ['1251', '2059'],
    means: 'the client has no mysql_clear_password, or it is switched off',
    remedies: [
      'switch the clear-text plugin on, and TLS with verification: `jeton exec` does both',
      'in mysql2 `authPlugins`, in the mariadb connector nothing; in PHP’s mysqlnd it is on',
    ],
  },
  {
    says: 'Connections using insecure transport are prohibited · This RDS Proxy requires TLS connections',
    codes: ['3159'],
    means: 'the client came without TLS',
    remedies: ['use TLS, and verify the certificate: `jeton exec` sets both'],
  },
  {
    says: 'IAM authentication rate limit exceeded · Connections rate limit exceeded',
    codes: ['1040', '1105'],
    text: /rate limit exceeded|too many competing requests/i,
    means: 'an RDS proxy throttles logins',
    remedies: ['try again with the same token', 'lower `limits.newTokensPerSecond`'],
  },
  {
    says: 'Too many connections',
    codes: ['1040', '1203', '1226'],
    means: 'the server has no connection left, or the account has used its own up',
    remedies: ['close connections that idle, or put a pool in between', 'raise max_connections'],
  },
  {
    says: 'Host … is blocked because of many connection errors',
    codes: ['1129'],
    means:
      'too many connections from this address ended before they had logged in, such as health checks of a port',
    remedies: [
      'run `mysqladmin flush-hosts` as the master user',
      'let health checks log in, or raise max_connect_errors',
    ],
  },
  {
    says: 'Host … is not allowed to connect to this server',
    codes: ['1130'],
    means: 'no account may log in from this address',
    remedies: [
      "create accounts at '%', as `jeton sql` prints them, and let the security group choose addresses",
    ],
  },
  {
    says: 'Server shutdown in progress',
    codes: ['1053', '1152', '1927'],
    means: 'the server restarts or fails over; the token is as good as before',
    remedies: ['try again in a moment with the same token'],
  },
  {
    says: 'Timed-out waiting to acquire database connection',
    codes: ['9501', '9502'],
    means: 'the RDS proxy got no connection of the database',
    remedies: ['look at the health of its targets', 'register a secret for this user with the proxy'],
  },
]
