import { BY_PRINCIPAL } from '../audit/dynamodb/item.ts'
import type { Config, DynamodbStoreConfig, TableConfig } from '../config/config.ts'
import { UsageError } from '../errors.ts'
import { distinct } from '../lib/maps.ts'
import { type KmsKeyId, parseKmsKeyId } from './kms-key-id.ts'
import { assumeRoleActions, type JetonPlatform, platformTrust } from './platforms.ts'
import {
  type PolicyStatement,
  type PolicyText,
  policyDocument,
  type ResourceLocation,
  type RoleDocuments,
  resourceArn,
} from './role-policies.ts'

/** Returns the location of a table or key, given the region that the configuration has for it, if any. */
export type Locate = (region: string | undefined) => ResourceLocation

export interface JetonRoleOptions {
  readonly config: Pick<Config, 'server' | 'databases' | 'store' | 'audit'>
  readonly runsOn: JetonPlatform
  /** The trust anchor of Roles Anywhere that is trusted. */
  readonly trustAnchor?: PolicyText | undefined
  readonly locate: Locate
  /** The key that the configured alias leads to, if it is known. */
  readonly kmsKey?: KmsKey | undefined
}

export interface KmsKey {
  readonly location: ResourceLocation
  readonly keyId: string
}

/**
 * Returns the policies of jeton's own role: exactly the calls that its code makes, on exactly what the configuration names.
 * Does not include what the platform needs besides, such as a Lambda function's log. Throws `UsageError` if no role can
 * serve the configured databases.
 */
export function jetonRole({ config, runsOn, trustAnchor, locate, kmsKey }: JetonRoleOptions): RoleDocuments {
  const { server, databases, store, audit } = config
  requirePartition(databases)
  const auditTables = audit.filter(sink => sink.type === 'dynamodb')
  const roleArns = distinct(databases.map(({ roleArn }) => roleArn))
  const statements: PolicyStatement[] = [
    { Effect: 'Allow', Action: assumeRoleActions(runsOn), Resource: roleArns },
  ]
  if (store.type === 'dynamodb') {
    statements.push(allowTables(['dynamodb:GetItem', 'dynamodb:PutItem'], { tables: [store], locate }))
    if (store.encryption.type === 'kms')
      statements.push(...allowDataKeys(store, { kmsKeyId: store.encryption.kmsKeyId, locate, kmsKey }))
  }
  if (auditTables.length > 0)
    statements.push(allowTables(['dynamodb:PutItem'], { tables: auditTables, locate }))
  // its pages of records are of the first table; a function has no console
  const [shown] = server.admin?.console && runsOn !== 'lambda' ? auditTables : []
  if (shown) statements.push(...allowReading(shown, locate))
  return {
    trust: policyDocument([platformTrust(runsOn, trustAnchor)]),
    permissions: policyDocument(statements),
  }
}

/** Returns the partition of all databases. Throws `UsageError` if there is none, or more than one. */
export function requirePartition(databases: Config['databases']): string {
  const [partition, another] = new Set(databases.map(database => database.partition))
  if (partition === undefined)
    throw new UsageError('the configuration has no databases, so jeton needs no role')
  if (another !== undefined)
    throw new UsageError(
      `the databases are in the partitions ${partition} and ${another}, but a role works only in its own: use a configuration for each partition`,
    )
  return partition
}

interface AllowedTables {
  readonly tables: readonly TableConfig[]
  readonly locate: Locate
}

function allowTables(actions: readonly string[], { tables, locate }: AllowedTables): PolicyStatement {
  const arns = tables.map(({ table, region }) =>
    resourceArn({ ...locate(region), service: 'dynamodb', resource: `table/${table}` }),
  )
  return { Effect: 'Allow', Action: actions, Resource: arns }
}

/** For what `src/audit/dynamodb/recent.ts` calls. */
function allowReading({ table, region }: TableConfig, locate: Locate): PolicyStatement[] {
  const arnOf = (resource: string) => resourceArn({ ...locate(region), service: 'dynamodb', resource })
  const [whole, index] = [arnOf(`table/${table}`), arnOf(`table/${table}/index/${BY_PRINCIPAL}`)]
  return [
    { Effect: 'Allow', Action: ['dynamodb:Query'], Resource: [whole, index] },
    { Effect: 'Allow', Action: ['dynamodb:BatchGetItem'], Resource: [whole] },
  ]
}

interface AllowedKey extends Pick<JetonRoleOptions, 'locate' | 'kmsKey'> {
  readonly kmsKeyId: string
}

/**
 * No policy can name a key by its alias. If only the alias is known, every key of the account is allowed, on condition that
 * the request names it by that alias. The encryption context is the one that jeton sends: it binds each data key to its
 * record, and only those from before 0.1, which may still be decrypted, have no `key`.
 * https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
function allowDataKeys(
  { table, region }: DynamodbStoreConfig,
  { kmsKeyId, locate, kmsKey }: AllowedKey,
): PolicyStatement[] {
  const key: KmsKeyId = kmsKey ?? parseKmsKeyId(kmsKeyId)
  const location = key.location ?? locate(region)
  const allow = (action: string, ofRecord: 'StringLike' | 'StringLikeIfExists'): PolicyStatement => ({
    Effect: 'Allow',
    Action: action,
    Resource: [resourceArn({ ...location, service: 'kms', resource: `key/${key.keyId ?? '*'}` })],
    Condition: {
      StringEquals: {
        'kms:EncryptionContext:service': 'jeton',
        'kms:EncryptionContext:table': table,
        ...(key.alias !== undefined && { 'kms:RequestAlias': key.alias }),
      },
      [ofRecord]: { 'kms:EncryptionContext:key': 'data-key/*' },
      'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['service', 'table', 'key'] },
    },
  })
  return [allow('kms:GenerateDataKey', 'StringLike'), allow('kms:Decrypt', 'StringLikeIfExists')]
}
