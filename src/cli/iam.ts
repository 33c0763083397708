import { loadConfig, loadStaticConfig } from '../config/load.ts'
import { type RoleTemplate, roleTemplate, type TemplateParameter } from '../iam/cloudformation.ts'
import { databaseRole } from '../iam/database-role.ts'
import { jetonRole, requirePartition } from '../iam/jeton-role.ts'
import type { PolicyText } from '../iam/role-policies.ts'
import { printableJson } from '../lib/printable.ts'
import {
  type IamFlags,
  kmsKeyByFlag,
  locateByFlags,
  refuseMixedFlags,
  trustedAnchor,
  trustedPrincipal,
} from './iam-options.ts'
import { placeholderNotes } from './iam-placeholders.ts'
import type { CommandOutput } from './streams.ts'
import { catchUsageErrors, requireDatabase } from './usage-error.ts'

export interface IamArguments extends IamFlags {
  configPath: string
  /** The database whose role is printed; without it, jeton's own role is. */
  database?: string | undefined
  /** The region that the environment names. Not used in a template, which takes its stack's region. */
  environmentRegion?: string | undefined
}

/** IAM's quotas for one role; the trust policy's can be raised to 4096. White space does not count. */
const MAX_CHARACTERS = { trust: 2048, permissions: 10_240 } as const

/**
 * `jeton iam`: prints the trust and permission policies of a database's role, or of jeton's own, as JSON or as a
 * CloudFormation template. What JSON would need a flag for has a placeholder, and a note on stderr says so. Does not call AWS.
 * Returns the exit code: 0, or 2 for a usage error. Throws `ConfigError`.
 */
export function iamCommand(args: IamArguments, { stdout, stderr }: CommandOutput): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { database, format } = args
    refuseMixedFlags(args, database)
    const role = await (database === undefined ? jetonRoleOf(args) : databaseRoleOf(args, database))
    const text = format === 'json' ? roleJson(role) : roleTemplate(role)
    const notes = [...lengthNotes(role), ...placeholderNotes(text), ...platformNotes(args)]
    for (const note of notes) stderr.write(`note: ${note}\n`)
    stdout.write(text)
    return 0
  })
}

function lengthNotes({ documents }: RoleTemplate): string[] {
  return (['trust', 'permissions'] as const)
    .map(kind => ({ kind, length: JSON.stringify(documents[kind]).length, max: MAX_CHARACTERS[kind] }))
    .filter(({ length, max }) => length > max)
    .map(
      ({ kind, length, max }) => `${kind}: ${length} characters, but IAM takes at most ${max} for one role`,
    )
}

function platformNotes({ database, runsOn }: IamArguments): string[] {
  if (database !== undefined || runsOn !== 'eks') return []
  return [
    'the trust policy is that of EKS Pod Identity. With IAM roles for service accounts (IRSA), the permissions are the same, but the role trusts the OIDC provider of your cluster: https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html',
  ]
}

async function jetonRoleOf(args: IamArguments): Promise<RoleTemplate> {
  const config = await loadConfig(args.configPath, { purpose: 'describe' })
  const partition = requirePartition(config.databases)
  const { environmentRegion, runsOn = 'lambda' } = args
  const locate = locateByFlags(args, { partition, environmentRegion })
  const kmsKey = kmsKeyByFlag(args, config.store)
  const trustAnchor = trustedAnchor(args, partition)
  return {
    documents: jetonRole({ config, runsOn, trustAnchor, locate, kmsKey }),
    description: "jeton's own role",
    parameters: parametersOf({ TrustAnchorArn: trustAnchor }),
  }
}

async function databaseRoleOf(args: IamArguments, name: string): Promise<RoleTemplate> {
  const { databases, grants } = await loadStaticConfig(args.configPath)
  const { roleArn, partition } = requireDatabase(name, databases)
  const trusted = trustedPrincipal(args, partition)
  return {
    documents: databaseRole({ roleArn, databases, grants, trusted, runsOn: args.runsOn }),
    description: 'The role that jeton assumes to sign tokens',
    roleArn,
    parameters: parametersOf({ JetonRoleArn: trusted }),
  }
}

/** Returns the names of the values that are parameters of the template. */
function parametersOf(
  values: Partial<Record<TemplateParameter, PolicyText | undefined>>,
): TemplateParameter[] {
  return (Object.keys(values) as TemplateParameter[]).filter(name => typeof values[name] === 'object')
}

function roleJson({ documents: { trust, permissions }, roleArn }: RoleTemplate): string {
  return `${printableJson({ role: roleArn, trust, permissions }, 2)}\n`
}
