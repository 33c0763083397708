import { loadConfig, loadStaticConfig } from '../config/load.ts'
import { type RoleTemplate, roleTemplate } from '../iam/cloudformation.ts'
import { databaseRole } from '../iam/database-role.ts'
import { jetonRole, requirePartition } from '../iam/jeton-role.ts'
import { printableJson } from '../lib/printable.ts'
import {
  type IamFlags,
  kmsKeyByFlag,
  locateByFlags,
  refuseMixedFlags,
  trustedPrincipal,
} from './iam-options.ts'
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
 * CloudFormation template. Does not call AWS. Returns the exit code: 0, or 2 for a usage error. Throws `ConfigError`.
 */
export function iamCommand(args: IamArguments, { stdout, stderr }: CommandOutput): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { database, format } = args
    refuseMixedFlags(args, database)
    const role = await (database === undefined ? jetonRoleOf(args) : databaseRoleOf(args, database))
    for (const kind of ['trust', 'permissions'] as const) {
      const { length } = JSON.stringify(role.documents[kind])
      if (length > MAX_CHARACTERS[kind])
        stderr.write(
          `note: ${kind}: ${length} characters, but IAM takes at most ${MAX_CHARACTERS[kind]} for one role\n`,
        )
    }
    stdout.write(format === 'json' ? roleJson(role) : roleTemplate(role))
    return 0
  })
}

async function jetonRoleOf(args: IamArguments): Promise<RoleTemplate> {
  const config = await loadConfig(args.configPath)
  const partition = requirePartition(config.databases)
  const { environmentRegion, runsOn = 'lambda' } = args
  const locate = locateByFlags(args, { partition, environmentRegion })
  const kmsKey = kmsKeyByFlag(args, config.store)
  return { documents: jetonRole({ config, runsOn, locate, kmsKey }), description: "jeton's own role" }
}

async function databaseRoleOf(args: IamArguments, name: string): Promise<RoleTemplate> {
  const { databases, grants } = await loadStaticConfig(args.configPath)
  const { roleArn, partition } = requireDatabase(name, databases)
  const trusted = trustedPrincipal(args, partition)
  return {
    documents: databaseRole({ roleArn, databases, grants, trusted }),
    description: 'The role that jeton assumes to sign tokens',
    roleArn,
    hasTrustParameter: args.jetonRole === undefined,
  }
}

function roleJson({ documents: { trust, permissions }, roleArn }: RoleTemplate): string {
  return `${printableJson({ role: roleArn, trust, permissions }, 2)}\n`
}
