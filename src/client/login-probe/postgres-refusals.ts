import { CHECK_POLICY, type KnownRefusal, READ_RDS_LOG } from './known-refusal.ts'

const ACCOUNT = 'create the account, with rds_iam, as `jeton sql DATABASE` prints it'

/** What PostgreSQL and RDS Proxy say. The first that fits counts. */
export const POSTGRES_REFUSALS: readonly KnownRefusal[] = [
  {
    says: 'PAM authentication failed for user "…"',
    codes: ['28000', '28P01'],
    text: /^(?:PAM|LDAP) authentication failed/,
    means: 'RDS did not accept the token, for whatever reason: it says no more',
    remedies: [
      CHECK_POLICY,
      'if the token was kept for a while, it has expired: use it within 15 minutes, and check it by `jeton decode`',
      'it must be for this endpoint, port and user, and whole: `jeton decode --user USER --host HOST:PORT`',
      'IAM authentication must be on for the instance or the cluster',
      READ_RDS_LOG,
    ],
  },
  {
    says: 'password authentication failed for user "…"',
    codes: ['28P01', '28000'],
    text: /^password authentication failed/,
    means:
      'the database compared a password of its own, and asked nobody about the token: the user is not in rds_iam, or does not exist',
    remedies: [
      `${ACCOUNT}; or \`GRANT rds_iam TO "USER"\``,
      'names count in their case: "App" is not app',
      'if the user exists elsewhere, this is another server or cluster than you think',
    ],
  },
  {
    says: 'the server asks for a SCRAM password and not for a token',
    text: /^the server asks for .* and not for a token$/,
    means:
      'the user is not in rds_iam or does not exist; behind an RDS proxy: IAM is not required of clients there',
    remedies: [
      `${ACCOUNT}; or \`GRANT rds_iam TO "USER"\``,
      'of an RDS proxy: set IAM authentication to required',
      'names count in their case: "App" is not app',
    ],
  },
  {
    says: 'no pg_hba.conf entry for host "…", user "…", database "…", no encryption',
    codes: ['28000'],
    text: /(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection).*(?:no encryption|SSL off)/,
    means:
      'the client came without TLS; libpq tries that by itself after a login over TLS has failed, so read the line before this one',
    remedies: ['use sslmode=verify-full, as `jeton exec` sets it: then the first refusal is the only one'],
  },
  {
    says: 'no pg_hba.conf entry for host "…", user "…", database "…", SSL encryption',
    codes: ['28000'],
    text: /no pg_hba\.conf entry|pg_hba\.conf rejects connection/,
    means: 'no rule of the server lets this user into this database from here',
    remedies: [
      'RDS refuses everybody the database rdsadmin: connect to another',
      'RDS refuses replication connections with a token',
      'of a server that is not RDS: its pg_hba.conf needs a rule',
    ],
  },
  {
    says: 'role "…" does not exist',
    codes: ['28000'],
    text: /^role ".*" does not exist/,
    means: 'there is no such user in this server',
    remedies: [ACCOUNT, 'names count in their case: "App" is not app'],
  },
  {
    says: 'role "…" is not permitted to log in',
    codes: ['28000'],
    text: /is not permitted to log in/,
    means: 'it is a role, and no user',
    remedies: ['`ALTER ROLE "USER" LOGIN`'],
  },
  {
    says: 'The IAM authentication failed for the role …',
    text: /^The IAM authentication failed for the role/,
    means: 'the RDS proxy did not accept the token',
    remedies: [
      'the token must be signed for the endpoint of the proxy, and the policy be for its resource id (prx-…)',
      CHECK_POLICY,
      'the token arrived damaged, as by a URL that was decoded twice: `jeton decode`',
    ],
  },
  {
    says: 'This RDS proxy has no credentials for the role …',
    text: /has no credentials for the role|password that was provided for the role/,
    means: 'the proxy itself cannot log in to the database as this user',
    remedies: [
      'register a secret with this user name with the proxy, or let the proxy use IAM for the database',
    ],
  },
  {
    says: 'This RDS proxy supports only IAM, MD5, or SCRAM authentication',
    text: /supports only IAM/,
    means: 'the proxy was asked in a way that it does not know: without TLS, or for GSSAPI first',
    remedies: ['use TLS, and gssencmode=disable, as `jeton exec` sets it'],
  },
  {
    says: 'IAM is allowed only with SSL connections',
    text: /IAM is allowed only with SSL/,
    means: 'the client came without TLS',
    remedies: ['use sslmode=verify-full, as `jeton exec` sets it'],
  },
  {
    says: 'too many competing requests',
    text: /too many competing requests|rate limit exceeded|Rate of connection to proxy exceeded/i,
    means: 'RDS throttles logins with new tokens, or the proxy new connections',
    remedies: [
      'try again with the same token: another one makes it worse',
      'lower `limits.newTokensPerSecond`, and let other clients of this database use jeton too',
    ],
  },
  {
    says: 'database "…" does not exist',
    codes: ['3D000'],
    means: 'the token was accepted; the database in this server has another name',
    remedies: [
      'set `dbname` in the configuration of jeton, or name the right one: without one, clients take the user’s name',
    ],
  },
  {
    says: 'permission denied for database "…"',
    codes: ['42501'],
    means: 'the token was accepted; the user may not connect to this database',
    remedies: ['`GRANT CONNECT ON DATABASE … TO "USER"`'],
  },
  {
    says: 'sorry, too many clients already · remaining connection slots are reserved …',
    codes: ['53300'],
    means:
      'the server has no connection left, or the user or database has used its own up; in Aurora DSQL, its limit of connections',
    remedies: [
      'close connections that idle, or put a pool in between',
      'raise max_connections, or the limit of the role',
    ],
  },
  {
    says: '53400: configuration limit exceeded',
    codes: ['53400'],
    means: 'a limit of the server, as in Aurora DSQL that of new connections in a second',
    remedies: ['open connections more slowly, and keep them'],
  },
  {
    says: 'the database system is starting up · shutting down · in recovery mode',
    codes: ['57P03'],
    means: 'the server restarts, fails over or recovers; the token is as good as before',
    remedies: ['try again in a moment with the same token'],
  },
  {
    says: 'terminating connection due to administrator command',
    codes: ['57P01', '57P02'],
    means: 'the server is being stopped, or somebody ended this connection',
    remedies: ['try again in a moment with the same token'],
  },
  {
    says: 'canceling authentication due to timeout',
    text: /authentication due to timeout|Timed-out waiting to acquire/,
    means: 'RDS, or the proxy, did not finish in time: it is overloaded, or cannot reach what checks tokens',
    remedies: [
      'try again',
      'make sure that the instance has memory and CPU left',
      'of a proxy: look at the health of its targets',
    ],
  },
]
