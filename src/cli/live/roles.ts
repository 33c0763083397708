import type { Config } from '../../config/config.ts'
import { groupBy } from '../../lib/maps.ts'
import type { Database } from '../../rds/database.ts'
import { parseRoleArn } from '../../rds/role-arn.ts'
import type { AssumeRole } from '../../tokens/role-session/assume-role.ts'
import { type TokenKey, tokenKey } from '../../tokens/token-key.ts'
import { failed, type LiveCheck, ok } from './live-check.ts'

/** The subject of role sessions for a role that is assumed for principals alone; CloudTrail shows it. */
const SUBJECT = 'jeton-check'

/**
 * Returns a check for each role, and for each external id if databases share a role: it is assumed as for a request, under a
 * session name and with the session policy of one of the users.
 */
export function roleChecks(
  { databases, grants }: Pick<Config, 'databases' | 'grants'>,
  assumeRole: AssumeRole,
): LiveCheck[] {
  const groups = groupBy(databases, ({ roleArn, externalId }) => JSON.stringify([roleArn, externalId]))
  const isShared = (arn: string) => [...groups.values()].filter(([one]) => one?.roleArn === arn).length > 1
  return [...groups.values()].flatMap(([database, ...others]) => {
    if (!database) return []
    const { roleArn } = database
    const names = [database, ...others].map(({ name }) => name).join(', ')
    const what = `role ${roleArn}${isShared(roleArn) ? ` for ${names}` : ''}`
    const key = exampleKey([database, ...others], grants)
    return { what, run: () => assume(key, assumeRole) }
  })
}

async function assume(key: TokenKey, assumeRole: AssumeRole) {
  const { identity } = await assumeRole(key)
  const expected = identityOf(key)
  if (identity === expected) return ok(`assumed as ${key.sessionName}`)
  return failed(`STS answered as ${identity} and not as ${expected}: check the endpoint of STS`)
}

/** Prefers a user that somebody may have, for a trust policy may know no other session names. */
function exampleKey(databases: readonly [Database, ...Database[]], grants: Config['grants']): TokenKey {
  const candidates = databases.flatMap(database =>
    grants.filter(grant => grant.database === database.name).map(grant => ({ database, grant })),
  )
  const { database, grant } =
    candidates.find(({ grant }) => grant.session !== 'per-principal') ?? candidates[0] ?? {}
  if (!database || !grant) return tokenKey({ database: databases[0], user: databases[0].users[0] ?? '' })
  const user = grant.users[0] ?? ''
  if (grant.session !== 'per-principal') return tokenKey({ database, user })
  return tokenKey({ database, user, principal: { issuer: grant.principal.issuer, subject: SUBJECT } })
}

function identityOf({ database, sessionName }: TokenKey): string {
  const role = parseRoleArn(database.roleArn)
  const roleName = role.ok ? role.roleName : ''
  return `arn:${database.partition}:sts::${database.account}:assumed-role/${roleName}/${sessionName}`
}
