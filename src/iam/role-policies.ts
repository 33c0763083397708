import { type Database, databaseUserArn } from '../rds/database.ts'

/** Text of a template may stand for something that is known at deployment. */
export type PolicyText = string | { readonly 'Fn::Sub': string } | { readonly Ref: string }

export interface PolicyStatement {
  readonly Effect: 'Allow'
  readonly Principal?: Readonly<Record<string, PolicyText>>
  readonly Action: string | readonly string[]
  readonly Resource?: readonly PolicyText[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

/** A role whole: who may assume it, and what it may do. */
export interface RoleDocuments {
  readonly trust: PolicyDocument
  readonly permissions: PolicyDocument
}

/** What a template has in place of what only its deployment knows. */
export function pseudoParameter(name: 'AccountId' | 'Region'): string {
  return `$\{${PSEUDO}${name}}`
}

const PSEUDO = 'AWS::'

/** Where a table or a key is; in a template, account and region may be pseudo parameters. */
export interface ResourceLocation {
  readonly partition: string
  readonly account: string
  readonly region: string
}

export interface DatabaseRole {
  /** All that are configured with this role: it is for them together. */
  readonly databases: readonly Database[]
  /** Who assumes it: the ARN of jeton's own role or user. */
  readonly trusted: PolicyText
  /** The names of the sessions that jeton has of a database; in them, * and ? match as in IAM. */
  readonly sessionNames: (database: Database) => readonly string[]
}

/**
 * The role that jeton assumes for some databases: `rds-db:connect` on their users and nothing else, for jeton alone, under
 * its session names, and with the external id where one is configured. That jeton's role exists is not checked; IAM refuses
 * a trust policy that names one which does not.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 */
export function databaseRole({ databases, trusted, sessionNames }: DatabaseRole): RoleDocuments {
  const arns = databases.flatMap(database => database.users.map(user => databaseUserArn(database, user)))
  const externalIds = distinct(databases.map(({ externalId }) => externalId))
  const trust = externalIds.map(externalId => {
    const those = databases.filter(database => database.externalId === externalId)
    return {
      Effect: 'Allow' as const,
      Principal: { AWS: trusted },
      Action: 'sts:AssumeRole',
      Condition: {
        StringLike: { 'sts:RoleSessionName': distinct(those.flatMap(sessionNames)) },
        ...(externalId !== undefined && { StringEquals: { 'sts:ExternalId': externalId } }),
      },
    }
  })
  return {
    trust: policy(trust),
    permissions: policy([{ Effect: 'Allow', Action: 'rds-db:connect', Resource: distinct(arns) }]),
  }
}

export interface JetonRole {
  /** What jeton's role is assumed by, e.g. `lambda.amazonaws.com`. */
  readonly service: string
  readonly roleArns: readonly string[]
  readonly store?: TableAt | undefined
  readonly audit: readonly TableAt[]
  /** What seals the store. */
  readonly key?: EncryptionKey | undefined
}

export interface TableAt extends ResourceLocation {
  readonly table: string
}

export interface EncryptionKey extends ResourceLocation {
  /** The id of the key; undefined where only an alias of it is known. */
  readonly id?: string | undefined
  /** `alias/NAME`, where jeton asks for the key by it. */
  readonly alias?: string | undefined
  /** The store's table, which stands in the encryption context. */
  readonly table: string
}

/**
 * The role that jeton itself runs with: exactly the calls that its code makes, on exactly what the configuration names. What
 * the platform needs beside (a Lambda function's log, say) is not among them.
 */
export function jetonRole({ service, roleArns, store, audit, key }: JetonRole): RoleDocuments {
  const statements: PolicyStatement[] = [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: distinct(roleArns) },
  ]
  if (store) statements.push(onTables(['dynamodb:GetItem', 'dynamodb:PutItem'], [store]))
  if (key) statements.push(sealing(key))
  if (audit.length > 0) statements.push(onTables(['dynamodb:BatchWriteItem'], audit))
  const trust: PolicyStatement = {
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 'sts:AssumeRole',
  }
  return { trust: policy([trust]), permissions: policy(statements) }
}

function onTables(actions: readonly string[], tables: readonly TableAt[]): PolicyStatement {
  const arns = tables.map(({ partition, region, account, table }) =>
    arnText(`arn:${partition}:dynamodb:${region}:${account}:table/${table}`),
  )
  return { Effect: 'Allow', Action: actions, Resource: arns }
}

/**
 * An alias is no resource of these calls: where the key's id is not known, any key of the account will do that is asked for
 * by the alias. The encryption context is the one that jeton sends.
 * https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
function sealing({ partition, region, account, id, alias, table }: EncryptionKey): PolicyStatement {
  return {
    Effect: 'Allow',
    Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
    Resource: [arnText(`arn:${partition}:kms:${region}:${account}:key/${id ?? '*'}`)],
    Condition: {
      StringEquals: {
        'kms:EncryptionContext:service': 'jeton',
        'kms:EncryptionContext:table': table,
        ...(alias !== undefined && { 'kms:RequestAlias': alias }),
      },
    },
  }
}

function arnText(arn: string): PolicyText {
  return arn.includes(`$\{${PSEUDO}`) ? { 'Fn::Sub': arn } : arn
}

function policy(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)]
}
