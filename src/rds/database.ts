/** What an endpoint leads to: a DB instance, an Aurora cluster, an RDS proxy or an Aurora Limitless shard group. */
export type EndpointKind = 'instance' | 'cluster' | 'proxy' | 'shardGroup'

export type Engine = 'postgres' | 'mysql' | 'mariadb'

export interface Address {
  /** A name or an IP address; IPv6 without its brackets. */
  readonly host: string
  readonly port: number
}

/** One RDS endpoint that tokens are signed for. `checkDatabase` makes it from the configuration. */
export interface Database {
  /** Its name in the configuration. */
  readonly name: string
  readonly engine: Engine
  /** RDS's own endpoint name in lower case, which tokens are signed for. */
  readonly host: string
  readonly port: number
  readonly kind: EndpointKind
  readonly partition: string
  readonly region: string
  readonly resourceId: string
  readonly roleArn: string
  /** The AWS account of the role and the database. */
  readonly account: string
  readonly users: readonly string[]
  /** How many new tokens a second may be delivered; databases with one `resourceKey` share this limit. */
  readonly newTokensPerSecond: number
  readonly externalId?: string
  readonly dbname?: string
  /** The address that callers connect to, if not `host` and `port`. */
  readonly connect?: Address
}

/**
 * Returns the ARN on which `rds-db:connect` is allowed for one database user. The name is not escaped: `checkDatabase`
 * rejects names that would be wildcards or variables in a policy.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function databaseUserArn(
  database: Pick<Database, 'partition' | 'region' | 'account' | 'resourceId'>,
  user: string,
): string {
  const { partition, region, account, resourceId } = database
  return `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${user}`
}

/** Returns the key that RDS throttles logins by. Configured databases may share one. */
export function resourceKey(database: Pick<Database, 'account' | 'region' | 'resourceId'>): string {
  return `${database.account}/${database.region}/${database.resourceId}`
}
