import { parseAddress } from './address.ts'
import type { Address, Database, EndpointKind, Engine } from './database.ts'
import { parseEndpoint } from './endpoint.ts'
import { parseRoleArn } from './role-arn.ts'

/** One database of the configuration, after the schema has checked its types. */
export interface DatabaseSpec {
  readonly name: string
  readonly engine: Engine
  readonly host: string
  readonly port?: number | undefined
  readonly resourceId: string
  readonly roleArn: string
  readonly users: readonly string[]
  readonly externalId?: string | undefined
  readonly dbname?: string | undefined
  readonly connect?: string | undefined
  /** `limits.newTokensPerSecond`. The schema checks its range. */
  readonly newTokensPerSecond?: number | undefined
}

/** One thing that is wrong with a database. */
export interface DatabaseProblem {
  /** The path within the database: `roleArn`, `users[1]`. */
  readonly path: string
  readonly message: string
}

export type CheckedDatabase =
  | { readonly ok: true; readonly database: Database }
  | { readonly ok: false; readonly problems: readonly DatabaseProblem[] }

type ReportProblem = (path: keyof DatabaseSpec | `users[${number}]`, message: string) => void

const DEFAULT_PORT: Readonly<Record<Engine, number>> = { postgres: 5432, mysql: 3306, mariadb: 3306 }

/**
 * RDS allows 20 logins a second with tokens of different identities; 16 leaves room for the up to 250 ms between the
 * delivery of a token and the login.
 */
const DEFAULT_NEW_TOKENS_PER_SECOND = 16

/** PostgreSQL truncates names by bytes; the others count characters. */
const MAX_USER_LENGTH: Readonly<Record<Engine, { length(user: string): number; max: number; unit: string }>> =
  {
    postgres: { length: user => Buffer.byteLength(user), max: 63, unit: 'bytes' },
    mysql: { length: user => user.length, max: 32, unit: 'characters' },
    mariadb: { length: user => user.length, max: 80, unit: 'characters' },
  }

const ID_OF_INSTANCE = '`db-…` of the instance (DbiResourceId)'
const ID_OF_CLUSTER = '`cluster-…` of the cluster (DbClusterResourceId)'
const ID_OF_PROXY = '`prx-…` of the proxy (the end of its DBProxyArn)'
const ANY_ID = `${ID_OF_INSTANCE}, ${ID_OF_CLUSTER} or ${ID_OF_PROXY}`
const RESOURCE_ID: Readonly<Record<EndpointKind, { prefixes: readonly string[]; expected: string }>> = {
  // in Aurora, the id of the cluster covers the endpoints of its instances
  instance: { prefixes: ['db-', 'cluster-'], expected: `${ID_OF_INSTANCE}, or in Aurora ${ID_OF_CLUSTER}` },
  cluster: { prefixes: ['cluster-'], expected: ID_OF_CLUSTER },
  shardGroup: { prefixes: ['cluster-'], expected: ID_OF_CLUSTER },
  proxy: { prefixes: ['prx-'], expected: ID_OF_PROXY },
}

/**
 * Returns a frozen `Database` for one database of the configuration, or everything that is wrong with it at once. Does not
 * ask AWS: a well-formed role or resource id may belong to another database. Does not check the name, which the schema
 * does. Messages quote only partitions and regions.
 */
export function checkDatabase(spec: DatabaseSpec): CheckedDatabase {
  const problems: DatabaseProblem[] = []
  const report: ReportProblem = (path, message) => void problems.push({ path, message })
  const { name, engine, resourceId, roleArn, externalId, dbname } = spec

  const endpoint = parseEndpoint(spec.host)
  if (!endpoint.ok) report('host', endpoint.problem)
  const port = spec.port ?? DEFAULT_PORT[engine]
  checkPort(port, report)
  checkResourceId({ resourceId, kind: endpoint.ok ? endpoint.kind : undefined }, report)
  const role = parseRoleArn(roleArn)
  if (!role.ok) report('roleArn', role.problem)
  else if (endpoint.ok && role.partition !== endpoint.partition)
    report(
      'roleArn',
      `is in partition ${role.partition}, but the endpoint is in ${endpoint.partition}: a role works only in its own partition`,
    )
  checkUsers(spec, report)
  if (externalId !== undefined) checkExternalId(externalId, report)
  if (dbname !== undefined) checkDbname(dbname, report)
  const connect = spec.connect === undefined ? undefined : checkConnect(spec.connect, report)

  if (!endpoint.ok || !role.ok || problems.length > 0) return { ok: false, problems }
  const database: Database = {
    name,
    engine,
    host: endpoint.host,
    port,
    kind: endpoint.kind,
    partition: endpoint.partition,
    region: endpoint.region,
    resourceId,
    roleArn,
    account: role.account,
    users: Object.freeze([...spec.users]),
    newTokensPerSecond: spec.newTokensPerSecond ?? DEFAULT_NEW_TOKENS_PER_SECOND,
    ...(externalId !== undefined && { externalId }),
    ...(dbname !== undefined && { dbname }),
    ...(connect !== undefined && { connect: Object.freeze(connect) }),
  }
  return { ok: true, database: Object.freeze(database) }
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html */
function checkPort(port: number, report: ReportProblem): void {
  if (!Number.isInteger(port) || port < 1150 || port > 65_535)
    report(
      'port',
      "must be a port that RDS can listen on (1150 to 65535); a tunnel's port belongs in `connect`",
    )
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html */
function checkResourceId(
  { resourceId, kind }: { resourceId: string; kind: EndpointKind | undefined },
  report: ReportProblem,
): void {
  if (!/^(?:db|cluster|prx)-[A-Za-z0-9]+$/.test(resourceId))
    report('resourceId', `is not an RDS resource id: use the ${kind ? RESOURCE_ID[kind].expected : ANY_ID}`)
  else if (kind && !RESOURCE_ID[kind].prefixes.some(prefix => resourceId.startsWith(prefix)))
    report(
      'resourceId',
      `does not fit the endpoint, which is of kind ${kind}: use the ${RESOURCE_ID[kind].expected}`,
    )
}

function checkUsers({ users, engine }: DatabaseSpec, report: ReportProblem): void {
  if (users.length === 0) report('users', 'is empty: list the database users that jeton may sign tokens for')
  users.forEach((user, index) => {
    const problem =
      findUserProblem(user, engine) ?? (users.indexOf(user) < index ? 'is listed twice' : undefined)
    if (problem) report(`users[${index}]`, problem)
  })
}

/**
 * Returns why a database user is not allowed, or undefined: `databaseUserArn` puts the name unescaped into a policy, where *, ?
 * and $ have a meaning. Does not check that the account exists. A session policy allows no characters beyond U+00FF:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
function findUserProblem(user: string, engine: Engine): string | undefined {
  const { length, max, unit } = MAX_USER_LENGTH[engine]
  if (user === '') return 'is empty'
  if (/[*?$]/.test(user)) return 'contains *, ? or $, which would widen the policy to other users'
  if (/\p{Cc}/u.test(user)) return 'contains control characters'
  if (/[\u0100-\u{10ffff}]/u.test(user))
    return 'contains characters beyond U+00FF, which a session policy cannot hold'
  if (length(user) > max) return `is longer than the ${max} ${unit} that ${engine} allows`
  return undefined
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function checkExternalId(id: string, report: ReportProblem): void {
  if (!/^[\w+=,.@:/-]{2,1224}$/.test(id))
    report('externalId', 'is not an external id that STS accepts: 2 to 1224 letters, digits and _+=,.@:/-')
}

/** The name becomes an environment variable of the caller's command, which cannot hold U+0000. */
function checkDbname(dbname: string, report: ReportProblem): void {
  if (dbname === '' || /\p{Cc}/u.test(dbname)) report('dbname', 'is empty or contains control characters')
}

function checkConnect(connect: string, report: ReportProblem): Address | undefined {
  const address = parseAddress(connect)
  if (!address) report('connect', 'is not host:port (an IPv6 address in brackets: [::1]:15432)')
  return address
}
