import type { Config } from '../config/config.ts'
import { UsageError } from '../errors.ts'
import { parameterValue } from '../iam/cloudformation.ts'
import type { KmsKey, Locate } from '../iam/jeton-role.ts'
import { parseKmsKeyId } from '../iam/kms-key-id.ts'
import type { JetonPlatform } from '../iam/platforms.ts'
import { type PolicyText, pseudoParameter } from '../iam/role-policies.ts'
import { PARTITIONS } from '../rds/partitions.ts'
import { PLACEHOLDER } from './iam-placeholders.ts'

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
  /** The trust anchor of Roles Anywhere that jeton's own role is to trust: an ARN. */
  trustAnchor?: string | undefined
}

const ROLE_OR_USER_ARN = /^arn:([a-z-]+):iam::\d{12}:(?:role|user)\/(?:[!-~]+\/)?[\w+=,.@-]{1,64}$/
const TRUST_ANCHOR_ARN = /^arn:([a-z-]+):rolesanywhere:[a-z0-9-]+:\d{12}:trust-anchor\/[a-f0-9-]+$/

/** Throws `UsageError` for a flag that is not for this role: a database's, or jeton's own if `database` is undefined. */
export function refuseMixedFlags(flags: IamFlags, database: string | undefined): void {
  const { jetonRole, account, region, kmsKey, runsOn, trustAnchor } = flags
  if (database === undefined && jetonRole !== undefined)
    throw new UsageError('--jeton-role is only for the role of a database: name the database')
  const onlyForJetonRole = { account, region, 'kms-key': kmsKey, 'trust-anchor': trustAnchor }
  for (const [name, value] of Object.entries(onlyForJetonRole))
    if (database !== undefined && value !== undefined)
      throw new UsageError(`--${name} is only for jeton's own role: leave the database out`)
  if (trustAnchor !== undefined && runsOn !== 'anywhere')
    throw new UsageError('--trust-anchor is only for IAM Roles Anywhere: give --runs-on anywhere too')
}

/**
 * Returns the principal that a database's role trusts: a template's parameter, or a placeholder, if no flag names it. Throws
 * `UsageError` unless `--jeton-role` is one of `partition`.
 */
export function trustedPrincipal({ jetonRole, format }: IamFlags, partition: string): PolicyText {
  if (jetonRole === undefined) {
    if (format === 'cloudformation') return parameterValue('JetonRoleArn')
    return `arn:${partition}:iam::${PLACEHOLDER.jetonAccount}:role/${PLACEHOLDER.jetonRole}`
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
 * Returns the trust anchor that jeton's own role trusts: a template's parameter, or a placeholder, if no flag names it;
 * undefined on platforms without one. Throws `UsageError` unless `--trust-anchor` is one of `partition`.
 */
export function trustedAnchor(
  { trustAnchor, runsOn, format }: IamFlags,
  partition: string,
): PolicyText | undefined {
  if (runsOn !== 'anywhere') return undefined
  if (trustAnchor === undefined)
    return format === 'cloudformation' ? parameterValue('TrustAnchorArn') : PLACEHOLDER.trustAnchor
  if (TRUST_ANCHOR_ARN.exec(trustAnchor)?.[1] !== partition)
    throw new UsageError(
      `--trust-anchor must be the ARN of a trust anchor in partition ${partition}: arn:${partition}:rolesanywhere:REGION:ACCOUNT:trust-anchor/ID`,
    )
  return trustAnchor
}

/**
 * Returns a function that locates tables and keys. A template takes what the flags leave out from its stack; JSON takes the
 * region from `environmentRegion`, and has placeholders for the rest. Throws `UsageError` for a malformed flag.
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
    account: account ?? (isTemplate ? pseudoParameter('AccountId') : PLACEHOLDER.account),
    region:
      configuredRegion ??
      region ??
      (isTemplate ? pseudoParameter('Region') : (environmentRegion ?? PLACEHOLDER.region)),
  })
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
