import { roleTemplate } from '../iam/cloudformation.ts'
import { databaseRoleDocuments } from '../iam/database-role.ts'
import { jetonRoleDocuments, type OwnRoleOptions } from '../iam/jeton-role.ts'
import type { RoleDocuments } from '../iam/role-policies.ts'
import type { Output } from './check.ts'
import { catchUsageErrors, UsageError } from './usage-error.ts'

export interface IamArguments extends OwnRoleOptions {
  configPath: string
  /** The role of this database; jeton's own without it. */
  database?: string | undefined
  /** What the database's role is to trust: an ARN. */
  jetonRole?: string | undefined
  format: IamFormat
}

export type IamFormat = 'json' | 'cloudformation'

/** What a command found out about the role that it is asked for. */
export interface AskedRole {
  documents: RoleDocuments
  description: string
  /** The ARN that it must have. */
  roleArn?: string
  asksWhomToTrust?: boolean
}

/** IAM's quotas, that of the trust policy before it is raised (4096 at most); white space does not count. */
const MOST_CHARACTERS = { trust: 2048, permissions: 10_240 } as const

/**
 * `jeton iam`: prints the trust and permission policies of a database's role, or of jeton's own, as JSON or as a template of
 * CloudFormation. Gives the exit code: 0, or 2 for wrong usage. Throws `ConfigError`. AWS is not asked.
 */
export function iamCommand(args: IamArguments, { out, err }: { out: Output; err: Output }): Promise<number> {
  return catchUsageErrors(err, async () => {
    refuseMixedOptions(args)
    const { database } = args
    const role = await (database === undefined
      ? jetonRoleDocuments(args)
      : databaseRoleDocuments(args, database))
    for (const kind of ['trust', 'permissions'] as const) {
      const { length } = JSON.stringify(role.documents[kind])
      if (length > MOST_CHARACTERS[kind])
        err.write(`note: ${kind}: ${length} characters, and IAM takes ${MOST_CHARACTERS[kind]} of one role\n`)
    }
    out.write(args.format === 'json' ? json(role) : roleTemplate(role))
    return 0
  })
}

function json({ documents: { trust, permissions }, roleArn }: AskedRole): string {
  return `${JSON.stringify({ role: roleArn, trust, permissions }, null, 2)}\n`
}

function refuseMixedOptions({ database, jetonRole, account, region, kmsKey, runsOn }: IamArguments): void {
  if (database === undefined && jetonRole !== undefined)
    throw new UsageError('--jeton-role goes with a database, whose role is to trust it')
  const ofOwn = { account, region, 'kms-key': kmsKey, 'runs-on': runsOn }
  for (const [name, value] of Object.entries(ofOwn))
    if (database !== undefined && value !== undefined)
      throw new UsageError(`--${name} goes with jeton's own role: leave the database out`)
}
