import { parseAddress } from './address.ts'
import type { Address, Database, EndpointKind, Engine } from './database.ts'
import { findUserProblem } from './database-user.ts'
import { findDbnameProblem } from './dbname.ts'
import { parseEndpoint } from './endpoint.ts'
import { parseResourceId, type ResourceIdPrefix } from './resource-id.ts'
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

const ID_OF_INSTANCE = '`db-…` of the instance (DbiResourceId)'
const ID_OF_CLUSTER = '`cluster-…` of the cluster (DbClusterResourceId)'
const ID_OF_PROXY = '`prx-…` of the proxy (the end of its DBProxyArn)'
const ANY_ID = `${ID_OF_INSTANCE}, ${ID_OF_CLUSTER} or ${ID_OF_PROXY}`
const RESOURCE_ID: Readonly<
  Record<EndpointKind, { prefixes: readonly ResourceIdPrefix[]; expected: string }>
> = {
  // in Aurora, the id of the cluster covers the endpoints of its instances
  instance: { prefixes: ['db', 'cluster'], expected: `${ID_OF_INSTANCE}, or in Aurora ${ID_OF_CLUSTER}` },
  cluster: { prefixes: ['cluster'], expected: ID_OF_CLUSTER },
  shardGroup: { prefixes: ['cluster'], expected: ID_OF_CLUSTER },
  proxy: { prefixes: ['prx'], expected: ID_OF_PROXY },
}

/**
 * Returns a frozen `Database` for one database of the configuration, or everything that is wrong with it at once. Does not
 * ask AWS: a well-formed role or resource id may belong to another database. Does not check the name, which the schema
 * does. Messages quote neither a host nor an external id, which may be or hold a secret.
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
  const dbnameProblem = dbname === undefined ? undefined : findDbnameProblem(dbname, engine)
  if (dbnameProblem !== undefined) report('dbname', dbnameProblem)
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

function checkResourceId(
  { resourceId, kind }: { resourceId: string; kind: EndpointKind | undefined },
  report: ReportProblem,
): void {
  const parsed = parseResourceId(resourceId)
  const expected = kind ? RESOURCE_ID[kind].expected : ANY_ID
  if (!parsed.ok) {
    const remedy = parsed.meant === undefined ? `use the ${expected}` : `did you mean ${parsed.meant}?`
    report('resourceId', `${parsed.fault}: ${remedy}`)
  } else if (kind && !RESOURCE_ID[kind].prefixes.includes(parsed.prefix))
    report('resourceId', `does not fit the endpoint, which is of kind ${kind}: use the ${expected}`)
}

function checkUsers({ users, engine }: DatabaseSpec, report: ReportProblem): void {
  if (users.length === 0) report('users', 'is empty: list the database users that jeton may sign tokens for')
  users.forEach((user, index) => {
    const problem =
      findUserProblem(user, engine) ?? (users.indexOf(user) < index ? 'is listed twice' : undefined)
    if (problem) report(`users[${index}]`, problem)
  })
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function checkExternalId(id: string, report: ReportProblem): void {
  if (!/^[\w+=,.@:/-]{2,1224}$/.test(id))
    report('externalId', 'is not an external id that STS accepts: 2 to 1224 letters, digits and _+=,.@:/-')
}

function checkConnect(connect: string, report: ReportProblem): Address | undefined {
  const address = parseAddress(connect)
  if (!address) report('connect', 'is not host:port (an IPv6 address in brackets: [::1]:15432)')
  return address
}
