import type { Config } from '../config/config.ts'
import { UsageError } from '../errors.ts'
import { TRUSTED_PARAMETER } from '../iam/cloudformation.ts'
import type { JetonPlatform, KmsKey, Locate } from '../iam/jeton-role.ts'
import { parseKmsKeyId } from '../iam/kms-key-id.ts'
import { type PolicyText, pseudoParameter } from '../iam/role-policies.ts'
import { PARTITIONS } from '../rds/partitions.ts'

export type IamFormat = 'json' | 'cloudformation'

/** The flags of `jeton iam`, as written on the command line. */
export interface IamFlags {
  format: IamFormat
  /** The role or user that a database's role is to trust: an ARN. */
  jetonRole?: string | undefined
  /** The account of tables and key. */
  account?: string | undefined
  /** The region of tables and key, if the configuration has none for them. */
  region?: string | undefined
  /** The ARN of the key that the configured alias leads to. */
  kmsKey?: string | undefined
  runsOn?: JetonPlatform | undefined
}

const ROLE_OR_USER_ARN = /^arn:([a-z-]+):iam::\d{12}:(?:role|user)\/[!-~]+$/

/** Throws `UsageError` for a flag that is not for this role: a database's, or jeton's own if `database` is undefined. */
export function refuseMixedFlags(flags: IamFlags, database: string | undefined): void {
  const { jetonRole, account, region, kmsKey, runsOn } = flags
  if (database === undefined && jetonRole !== undefined)
    throw new UsageError('--jeton-role is only for the role of a database: name the database')
  const onlyForJetonRole = { account, region, 'kms-key': kmsKey, 'runs-on': runsOn }
  for (const [name, value] of Object.entries(onlyForJetonRole))
    if (database !== undefined && value !== undefined)
      throw new UsageError(`--${name} is only for jeton's own role: leave the database out`)
}

/** Returns the principal that a database's role trusts. Throws `UsageError` unless `--jeton-role` is one of `partition`. */
export function trustedPrincipal({ jetonRole, format }: IamFlags, partition: string): PolicyText {
  if (jetonRole === undefined) {
    if (format === 'cloudformation') return TRUSTED_PARAMETER
    throw new UsageError(
      "--jeton-role is required: the ARN of jeton's own role, which the database's role trusts",
    )
  }
  if (/^arn:[a-z-]+:sts:/.test(jetonRole))
    throw new UsageError('--jeton-role is the ARN of a role session: give the ARN of the role itself')
  const [, itsPartition] = ROLE_OR_USER_ARN.exec(jetonRole) ?? []
  if (itsPartition === undefined || /[*?$]/.test(jetonRole))
    throw new UsageError(
      '--jeton-role must be the ARN of one IAM role or user: arn:PARTITION:iam::ACCOUNT:role/NAME',
    )
  if (itsPartition !== partition)
    throw new UsageError(
      `--jeton-role is in partition ${itsPartition}, the database in ${partition}: no role can be assumed across partitions`,
    )
  return jetonRole
}

/**
 * Returns a function that locates tables and keys. A template takes what the flags leave out from its stack; JSON takes the
 * region from `environmentRegion`. Throws `UsageError` for a malformed flag at once, and for a missing one when it is needed.
 */
export function locateByFlags(
  { account, region, format }: IamFlags,
  { partition, environmentRegion }: { partition: string; environmentRegion: string | undefined },
): Locate {
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw new UsageError('--account must be the 12 digits of an AWS account')
  const pattern = PARTITIONS.find(({ name }) => name === partition)?.region
  if (region !== undefined && !pattern?.test(region))
    throw new UsageError(`--region must be a region of partition ${partition}`)
  const isTemplate = format === 'cloudformation'
  return configuredRegion => ({
    partition,
    account: required(
      account ?? (isTemplate ? pseudoParameter('AccountId') : undefined),
      'the account of the tables: --account',
    ),
    region: required(
      configuredRegion ?? region ?? (isTemplate ? pseudoParameter('Region') : environmentRegion),
      'the region of the tables: --region, or AWS_REGION',
    ),
  })
}

function required(value: string | undefined, what: string): string {
  if (value === undefined) throw new UsageError(`give ${what}`)
  return value
}

/** Returns the key that `--kms-key` names. Throws `UsageError` unless the store is encrypted by a key with only an alias. */
export function kmsKeyByFlag({ kmsKey }: IamFlags, store: Config['store']): KmsKey | undefined {
  if (kmsKey === undefined) return undefined
  if (store.type !== 'dynamodb' || store.encryption.type !== 'kms')
    throw new UsageError('--kms-key: the store is not encrypted with a KMS key')
  if (parseKmsKeyId(store.encryption.kmsKeyId).alias === undefined)
    throw new UsageError('--kms-key is for an alias, but kmsKeyId names the key itself: leave it out')
  const { location, keyId } = parseKmsKeyId(kmsKey)
  if (!location || keyId === undefined)
    throw new UsageError('--kms-key must be the ARN of a KMS key: arn:PARTITION:kms:REGION:ACCOUNT:key/ID')
  return { location, keyId }
}
