import type { GrantSpec } from '../authorization/grant.ts'
import { distinct } from '../lib/maps.ts'
import { type Database, databaseUserArn } from '../rds/database.ts'
import { sessionName } from '../tokens/role-session/session-name.ts'
import { type JetonPlatform, sessionActions } from './platforms.ts'
import { type PolicyStatement, type PolicyText, policyDocument, type RoleDocuments } from './role-policies.ts'

export interface DatabaseRoleOptions {
  readonly roleArn: string
  /** All configured databases: those with this role share its policies. */
  readonly databases: readonly Database[]
  readonly grants: readonly GrantSpec[]
  /** The principal that may assume the role: the ARN of jeton's own role or IAM user. */
  readonly trusted: PolicyText
  /** What runs jeton; unless given, any platform may. */
  readonly runsOn?: JetonPlatform | undefined
}

/** Matches the role sessions that principals have of their own: `sessionName` ends them all in `=` and 32 hex digits. */
const PER_PRINCIPAL_SESSIONS = `*=${'?'.repeat(32)}`

/**
 * Returns the policies of the role that jeton assumes for databases: `rds-db:connect` on their users and nothing else, for
 * jeton alone, under its session names, with the external id if one is configured, and with what jeton's own session brings
 * along on its platform. Does not check that `trusted` exists; IAM refuses a trust policy that names a missing role.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 */
export function databaseRole(options: DatabaseRoleOptions): RoleDocuments {
  const { roleArn, databases, grants, trusted, runsOn } = options
  const sharing = databases.filter(database => database.roleArn === roleArn)
  const userArns = sharing.flatMap(database => database.users.map(user => databaseUserArn(database, user)))
  const externalIds = distinct(sharing.map(({ externalId }) => externalId))
  const trust = externalIds.map((externalId): PolicyStatement => {
    const names = sharing
      .filter(database => database.externalId === externalId)
      .flatMap(database => sessionNames(database, grants))
    return {
      Effect: 'Allow',
      Principal: { AWS: trusted },
      Action: 'sts:AssumeRole',
      Condition: {
        StringLike: { 'sts:RoleSessionName': distinct(names) },
        ...(externalId !== undefined && { StringEquals: { 'sts:ExternalId': externalId } }),
      },
    }
  })
  return {
    trust: policyDocument([...trust, ...trustInherited(trusted, runsOn)]),
    permissions: policyDocument([
      { Effect: 'Allow', Action: 'rds-db:connect', Resource: distinct(userArns) },
    ]),
  }
}

/**
 * Without conditions: of the request's session name and external id, IAM says nothing when it decides about these actions.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_sts.html#list_sts-permission-only-actions
 */
function trustInherited(trusted: PolicyText, runsOn: JetonPlatform | undefined): PolicyStatement[] {
  const actions = sessionActions(runsOn)
  return actions.length > 0 ? [{ Effect: 'Allow', Principal: { AWS: trusted }, Action: actions }] : []
}

/** Returns the patterns of a database's session names, in which `*` and `?` match as in IAM. */
function sessionNames({ name, users }: Database, grants: readonly GrantSpec[]): string[] {
  const hasPerPrincipal = grants.some(
    ({ database, session }) => database === name && session === 'per-principal',
  )
  return [
    ...users.map(user => sessionName({ database: name, user })),
    ...(hasPerPrincipal ? [PER_PRINCIPAL_SESSIONS] : []),
  ]
}
