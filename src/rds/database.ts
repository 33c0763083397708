/** What RDS IAM authentication signs in to: a DB instance, an Aurora cluster, an RDS proxy, an Aurora Limitless shard group. */
export type EndpointKind = 'instance' | 'cluster' | 'proxy' | 'shardGroup'

export type Engine = 'postgres' | 'mysql' | 'mariadb'

export interface Address {
  /** A name or an IP address; IPv6 without its brackets. */
  readonly host: string
  readonly port: number
}

/** One RDS endpoint that tokens are signed for, checked: `describeDatabase` makes it of the configuration. */
export interface Database {
  /** The name that the configuration gives it. */
  readonly name: string
  readonly engine: Engine
  /** RDS's own endpoint name, in lower case: what tokens are signed for. */
  readonly host: string
  readonly port: number
  readonly kind: EndpointKind
  readonly partition: string
  readonly region: string
  readonly resourceId: string
  readonly roleArn: string
  /** The AWS account of the role, which is the database's own. */
  readonly account: string
  readonly users: readonly string[]
  /** How many tokens a second may be handed out for the first time; databases of one `resourceKey` share it. */
  readonly newTokensPerSecond: number
  readonly externalId?: string
  readonly dbname?: string
  /** Where callers dial, if not host:port. */
  readonly connect?: Address
}

/**
 * The ARN that `rds-db:connect` is allowed on for one database user. The user stands in it as it is: `describeDatabase`
 * refuses names that would be wildcards or variables in a policy.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function databaseUserArn(
  database: Pick<Database, 'partition' | 'region' | 'account' | 'resourceId'>,
  user: string,
): string {
  const { partition, region, account, resourceId } = database
  return `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${user}`
}

/** What RDS throttles logins by. Configured databases with one resource id share it. */
export function resourceKey(database: Pick<Database, 'account' | 'region' | 'resourceId'>): string {
  return `${database.account}/${database.region}/${database.resourceId}`
}
