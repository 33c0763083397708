import type { ClientFamily } from '../client/client-family.ts'
import { loginVariables, MYSQL_VARIABLES, POSTGRES_VARIABLES } from '../client/client-variables.ts'
import { invalidUsage } from '../client/errors.ts'
import type { Environment } from '../lib/process-input.ts'

/**
 * For variables that would fail a login or weaken it: a value with which a client does as if they were not set. A step can set
 * variables for those that follow and remove none; and libpq takes an empty one for a value, which some must not have.
 */
const NEUTRAL: Readonly<Record<string, string>> = {
  PGHOSTADDR: '',
  PGPASSWORD: '',
  PGREQUIREAUTH: '',
  PGCHANNELBINDING: 'prefer',
  PGREQUIREPEER: '',
  PGREQUIRESSL: '0',
  PGSSLNEGOTIATION: 'postgres',
  PGSSLCOMPRESSION: '0',
  PGSSLSNI: '1',
  PGSSLMINPROTOCOLVERSION: 'TLSv1.2',
  PGSSLMAXPROTOCOLVERSION: '',
  PGSSLCERT: '',
  PGSSLKEY: '',
  PGSSLPASSWORD: '',
  PGSSLCRL: '',
  PGSSLCRLDIR: '',
  PGGSSDELEGATION: '0',
  PGGSSLIB: '',
  PGKRBSRVNAME: 'postgres',
  PGTARGETSESSIONATTRS: 'any',
  PGLOADBALANCEHOSTS: 'disable',
  PGMINPROTOCOLVERSION: '3.0',
  PGMAXPROTOCOLVERSION: '3.0',
  MYSQL_PWD: '',
  MYSQL_GROUP_SUFFIX: '',
  MARIADB_GROUP_SUFFIX: '',
}

/** What counts for nothing beside others that are set: places of services, and sockets where TCP is asked for. */
const HARMLESS: readonly string[] = ['PGSERVICEFILE', 'PGSYSCONFDIR', 'MYSQL_UNIX_PORT', 'MARIADB_UNIX_PORT']

/**
 * Returns values that make up for variables of the job which would mislead a login that sets `names`. Throws CallerError for
 * one that nothing makes up for, such as PGSERVICE. Sees no variables that a later step sets for itself.
 */
export function neutralizeVariables(
  env: Environment,
  { family, names }: { family: ClientFamily; names: readonly string[] },
): Record<string, string> {
  const table = family === 'postgres' ? POSTGRES_VARIABLES : MYSQL_VARIABLES
  const misleading = loginVariables(table).filter(
    name => env[name] !== undefined && !names.includes(name) && !HARMLESS.includes(name),
  )
  const incurable = misleading.filter(name => NEUTRAL[name] === undefined)
  if (incurable.length > 0)
    throw invalidUsage(
      `this job sets ${incurable.join(' and ')}, which would mislead the login, and no step can unset a variable for others: take it out of \`env:\`, or give \`export: none\` and use \`jeton exec\``,
    )
  return Object.fromEntries(misleading.map(name => [name, NEUTRAL[name] ?? '']))
}
