/** Whose a variable is: jeton sets or removes those of the login, and leaves the command its own. */
type Owner = 'login' | 'command'

/** For each variable that a client reads: whose it is, and why. */
export type ClientVariables = Readonly<Record<string, readonly [Owner, because: string]>>

const WRONG_SERVER = 'would lead to another server, or log in as somebody else'
const FRAMEWORKS = 'many frameworks prefer it to all others: it would lead to another server'
const CLIENT_CERTIFICATE =
  'a token takes the place of a certificate, and one that does not fit ends the login'
const REVOCATION = 'a revocation list without one of RDS’s CA refuses every certificate'
const NO_KERBEROS = 'RDS asks nobody who has rds_iam for Kerberos, and expects TLS first'
const PROTOCOL = 'not every RDS server and proxy speaks what it may ask for; the default suits all'
const SESSION = 'about the session after the login; the server names a wrong value'

/**
 * Every variable of libpq (18), most of which other drivers read too. A caller's own values are for its own databases, where
 * they may be right: here they would fail the login or weaken it.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
export const POSTGRES_VARIABLES = {
  DATABASE_URL: ['login', FRAMEWORKS],
  PGHOST: ['login', WRONG_SERVER],
  PGHOSTADDR: ['login', WRONG_SERVER],
  PGPORT: ['login', WRONG_SERVER],
  PGUSER: ['login', WRONG_SERVER],
  PGPASSWORD: ['login', 'the token'],
  PGPASSFILE: ['login', 'the password is the token'],
  PGSERVICE: ['login', WRONG_SERVER],
  PGSERVICEFILE: ['login', WRONG_SERVER],
  PGSYSCONFDIR: ['login', 'another place of services'],
  PGREQUIREAUTH: ['login', 'RDS asks for a password in clear text, within TLS'],
  PGCHANNELBINDING: ['login', 'only SCRAM has it, and RDS asks for a password in clear text'],
  PGREQUIREPEER: ['login', 'for Unix sockets only'],
  PGSSLMODE: ['login', 'verify-full: the server is checked before it gets the token'],
  PGREQUIRESSL: ['login', 'an old and weaker PGSSLMODE'],
  PGSSLNEGOTIATION: ['login', PROTOCOL],
  PGSSLCOMPRESSION: ['login', 'lets who listens guess what is sent'],
  PGSSLSNI: ['login', 'proxies and endpoints that share an address need the name'],
  PGSSLMINPROTOCOLVERSION: ['login', PROTOCOL],
  PGSSLMAXPROTOCOLVERSION: ['login', PROTOCOL],
  PGSSLCERT: ['login', CLIENT_CERTIFICATE],
  PGSSLKEY: ['login', CLIENT_CERTIFICATE],
  PGSSLPASSWORD: ['login', CLIENT_CERTIFICATE],
  PGSSLCERTMODE: ['login', CLIENT_CERTIFICATE],
  PGSSLCRL: ['login', REVOCATION],
  PGSSLCRLDIR: ['login', REVOCATION],
  PGGSSENCMODE: ['login', NO_KERBEROS],
  PGGSSDELEGATION: ['login', NO_KERBEROS],
  PGGSSLIB: ['login', NO_KERBEROS],
  PGKRBSRVNAME: ['login', NO_KERBEROS],
  PGTARGETSESSIONATTRS: ['login', 'the endpoint is the choice: there is no other server to turn to'],
  PGLOADBALANCEHOSTS: ['login', 'there is one host'],
  PGMINPROTOCOLVERSION: ['login', PROTOCOL],
  PGMAXPROTOCOLVERSION: ['login', PROTOCOL],
  PGDATABASE: ['command', 'the caller’s choice, unless one is configured'],
  PGSSLROOTCERT: ['command', 'set if there is a CA bundle; else the caller has to have one'],
  PGCONNECT_TIMEOUT: ['command', 'how patient the command is'],
  PGAPPNAME: ['command', SESSION],
  PGOPTIONS: ['command', SESSION],
  PGCLIENTENCODING: ['command', SESSION],
  PGDATESTYLE: ['command', SESSION],
  PGTZ: ['command', SESSION],
  PGGEQO: ['command', SESSION],
  PGLOCALEDIR: ['command', 'the language of messages'],
  PGOAUTHDEBUG: ['command', 'for another way to log in'],
} as const satisfies ClientVariables

const OPTION_FILES = 'options of the caller’s own servers, which would win over those of the login'
const INSTALLATION = 'where the installation has its plugins: the client may need it'

/**
 * Every variable of the clients of MySQL and MariaDB that counts for a connection.
 * https://dev.mysql.com/doc/refman/8.4/en/environment-variables.html
 * https://mariadb.com/docs/server/server-management/variables-and-modes/mariadb-environment-variables
 */
export const MYSQL_VARIABLES = {
  DATABASE_URL: ['login', FRAMEWORKS],
  MYSQL_HOST: ['login', WRONG_SERVER],
  MYSQL_TCP_PORT: ['login', WRONG_SERVER],
  MYSQL_UNIX_PORT: ['login', WRONG_SERVER],
  MARIADB_UNIX_PORT: ['login', WRONG_SERVER],
  MYSQL_USER: ['login', 'for scripts: no client reads it'],
  MYSQL_PWD: ['login', 'the token'],
  MYSQL_GROUP_SUFFIX: ['login', OPTION_FILES],
  MARIADB_GROUP_SUFFIX: ['login', OPTION_FILES],
  MARIADB_TLS_DISABLE_PEER_VERIFICATION: ['login', 'the server is checked before it gets the token'],
  LIBMYSQL_PLUGINS: ['login', 'code to load at each start, which no login with a token needs'],
  MYSQL_HOME: ['command', 'set by jeton exec and -o env: the options of the login'],
  MARIADB_HOME: ['command', 'set by jeton exec and -o env: the options of the login'],
  MYSQL_TEST_LOGIN_FILE: [
    'command',
    'set by jeton exec and -o env, to no file: ~/.mylogin.cnf would win over the login',
  ],
  LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: ['command', 'set with the options that make clients check the server'],
  MYSQL_SSL_CA: ['command', 'for scripts; set if there is a CA bundle'],
  MYSQL_DATABASE: ['command', 'for scripts; the caller’s choice, unless one is configured'],
  MARIADB_PLUGIN_DIR: ['command', INSTALLATION],
  LIBMYSQL_PLUGIN_DIR: ['command', INSTALLATION],
} as const satisfies ClientVariables

/** Returns the names of a table's variables that belong to the login. */
export function loginVariables(table: ClientVariables): string[] {
  return Object.entries(table).flatMap(([name, [owner]]) => (owner === 'login' ? [name] : []))
}
