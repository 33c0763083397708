import type { GrantSpec } from '../authorization/grant.ts'
import type { AskedRole, IamArguments } from '../cli/iam.ts'
import { databaseNamed, UsageError } from '../cli/usage-error.ts'
import { loadStaticConfig } from '../config/load.ts'
import type { Database } from '../rds/database.ts'
import { sessionName } from '../tokens/role-session/session-name.ts'
import { TRUSTED_PARAMETER } from './cloudformation.ts'
import { databaseRole, type PolicyText } from './role-policies.ts'

const IDENTITY = /^arn:([a-z-]+):iam::\d{12}:(?:role|user)\/[!-~]+$/

/** Any session of a principal's own: its name ends as `sessionName` ends it, and nothing else is known ahead. */
const PRINCIPALS_OWN = `*=${'?'.repeat(32)}`

/** The role of a database, which it may share with others: it is made for them all. */
export async function databaseRoleDocuments(args: IamArguments, name: string): Promise<AskedRole> {
  const { databases: all, grants } = await loadStaticConfig(args.configPath)
  const { roleArn, partition } = databaseNamed(name, all)
  const databases = all.filter(database => database.roleArn === roleArn)
  const trusted = whomToTrust(args, partition)
  const documents = databaseRole({ databases, trusted, sessionNames: each => sessionNames(each, grants) })
  return {
    documents,
    description: 'The role that jeton assumes to sign tokens',
    roleArn,
    asksWhomToTrust: args.jetonRole === undefined,
  }
}

function whomToTrust({ jetonRole, format }: IamArguments, partition: string): PolicyText {
  if (jetonRole === undefined) {
    if (format === 'cloudformation') return TRUSTED_PARAMETER
    throw new UsageError(
      "--jeton-role is required: the ARN of jeton's own role, which the database's role trusts",
    )
  }
  if (/^arn:[a-z-]+:sts:/.test(jetonRole))
    throw new UsageError("--jeton-role is the ARN of a role session: give the role's own")
  const [, itsPartition] = IDENTITY.exec(jetonRole) ?? []
  if (itsPartition === undefined || /[*?$]/.test(jetonRole))
    throw new UsageError(
      '--jeton-role must be the ARN of one IAM role or user: arn:PARTITION:iam::ACCOUNT:role/NAME',
    )
  if (itsPartition !== partition)
    throw new UsageError(
      `--jeton-role is of partition ${itsPartition}, the database of ${partition}: no role is assumed across them`,
    )
  return jetonRole
}

function sessionNames({ name, users }: Database, grants: readonly GrantSpec[]): string[] {
  const hasPrincipalsOwn = grants.some(
    ({ database, session }) => database === name && session === 'per-principal',
  )
  return [
    ...users.map(user => sessionName({ database: name, user })),
    ...(hasPrincipalsOwn ? [PRINCIPALS_OWN] : []),
  ]
}
