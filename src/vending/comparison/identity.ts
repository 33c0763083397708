import type { CompiledGrant } from '../../authorization/compiled-grants.ts'
import type { RecordedPrincipal } from '../../authorization/recorded-match.ts'
import type { Database } from '../../rds/database.ts'
import { parseRoleArn } from '../../rds/role-arn.ts'
import { tokenKey } from '../../tokens/token-key.ts'

/** Returns the ARN of the role session that a vend would have, as records name it; undefined if that cannot be told. */
export function identityOf(
  database: Database,
  { grant, user, principal }: { grant: CompiledGrant; user: string; principal: RecordedPrincipal },
): string | undefined {
  const role = parseRoleArn(database.roleArn)
  const { issuer, subject } = principal
  const isShared = grant.session === 'shared'
  if (!role.ok || (!isShared && subject === undefined)) return undefined
  const owner = isShared || subject === undefined ? undefined : { issuer, subject }
  const { sessionName } = tokenKey({ database, user, principal: owner })
  return `arn:${role.partition}:sts::${role.account}:assumed-role/${role.roleName}/${sessionName}`
}
