import type { AskedRole, IamFormat } from '../cli/iam.ts'
import { UsageError } from '../cli/usage-error.ts'
import type { Config, DynamodbStoreConfig, TableConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { PARTITIONS } from '../rds/partitions.ts'
import {
  type EncryptionKey,
  jetonRole,
  pseudoParameter,
  type ResourceLocation,
  type TableAt,
} from './role-policies.ts'

export const SERVICES = {
  lambda: 'lambda.amazonaws.com',
  ecs: 'ecs-tasks.amazonaws.com',
  ec2: 'ec2.amazonaws.com',
} as const

export interface OwnRoleOptions {
  /** The account of tables and key. */
  account?: string | undefined
  /** Where tables and key are whose region is not configured. */
  region?: string | undefined
  /** The environment's region, which counts for JSON: a template is deployed where its stack is. */
  environmentRegion?: string | undefined
  /** The ARN of the key that the configured alias leads to. */
  kmsKey?: string | undefined
  runsOn?: keyof typeof SERVICES | undefined
  format: IamFormat
}

const KEY_ARN = /^arn:([a-z-]+):kms:([a-z0-9-]+):(\d{12}):(key|alias)\/(.+)$/

/** The role that jeton runs with. */
export async function jetonRoleDocuments(args: OwnRoleOptions & { configPath: string }): Promise<AskedRole> {
  const { databases, store, audit } = await loadConfig(args.configPath)
  const place = placesOf(args, partitionOf(databases))
  const shared = store.type === 'dynamodb' ? store : undefined
  const documents = jetonRole({
    service: SERVICES[args.runsOn ?? 'lambda'],
    roleArns: databases.map(({ roleArn }) => roleArn),
    store: shared && tableAt(shared, place),
    audit: audit.filter(log => log.type === 'dynamodb').map(log => tableAt(log, place)),
    key: keyOf(shared, { place, kmsKey: args.kmsKey }),
  })
  return { documents, description: "jeton's own role" }
}

function partitionOf(databases: Config['databases']): string {
  const [partition, another] = new Set(databases.map(each => each.partition))
  if (partition === undefined)
    throw new UsageError('the configuration has no database, and so no role for jeton')
  if (another !== undefined)
    throw new UsageError(
      `the databases are of the partitions ${partition} and ${another}: a role works in its own partition alone`,
    )
  return partition
}

/** Says where something is that is configured with this region, or with none. */
type PlaceOf = (region: string | undefined) => ResourceLocation

function placesOf(options: OwnRoleOptions, partition: string): PlaceOf {
  const { account, region, environmentRegion, format } = options
  if (account !== undefined && !/^\d{12}$/.test(account))
    throw new UsageError('--account must be the 12 digits of an AWS account')
  const pattern = PARTITIONS.find(({ name }) => name === partition)?.region
  if (region !== undefined && !pattern?.test(region))
    throw new UsageError(`--region must be a region of partition ${partition}`)
  const isTemplate = format === 'cloudformation'
  return configured => ({
    partition,
    account: known(
      account,
      isTemplate ? pseudoParameter('AccountId') : undefined,
      'the account of the tables: --account',
    ),
    region: known(
      configured ?? region,
      isTemplate ? pseudoParameter('Region') : environmentRegion,
      'the region of the tables: --region, or AWS_REGION',
    ),
  })
}

function known(given: string | undefined, otherwise: string | undefined, what: string): string {
  const value = given ?? otherwise
  if (value === undefined) throw new UsageError(`give ${what}`)
  return value
}

function tableAt({ table, region }: TableConfig, place: PlaceOf): TableAt {
  return { table, ...place(region) }
}

interface KeyAsked {
  place: PlaceOf
  kmsKey: string | undefined
}

function keyOf(
  store: DynamodbStoreConfig | undefined,
  { place, kmsKey }: KeyAsked,
): EncryptionKey | undefined {
  const kmsKeyId = store?.encryption.type === 'kms' ? store.encryption.kmsKeyId : undefined
  if (!store || kmsKeyId === undefined) {
    if (kmsKey !== undefined) throw new UsageError('--kms-key: the store is not sealed by a KMS key')
    return undefined
  }
  const { table, region } = store
  const configured = keyArn(kmsKeyId)
  const name = configured?.name ?? kmsKeyId
  const alias = name.startsWith('alias/') ? name : undefined
  if (kmsKey !== undefined) {
    const given = keyArn(kmsKey)
    if (alias === undefined)
      throw new UsageError('--kms-key goes with an alias: kmsKeyId names the key itself')
    if (given?.id === undefined)
      throw new UsageError('--kms-key must be the ARN of a KMS key: arn:PARTITION:kms:REGION:ACCOUNT:key/ID')
    return { table, ...given.place, id: given.id }
  }
  const at = configured?.place ?? place(region)
  return { table, ...at, ...(alias === undefined ? { id: configured?.id ?? kmsKeyId } : { alias }) }
}

function keyArn(arn: string): { place: ResourceLocation; name: string; id?: string } | undefined {
  const [, partition, region, account, kind, rest] = KEY_ARN.exec(arn) ?? []
  if (!partition || !region || !account || !kind || !rest || /[*?$]/.test(arn)) return undefined
  return {
    place: { partition, region, account },
    name: `${kind}/${rest}`,
    ...(kind === 'key' && { id: rest }),
  }
}
