import { parseAddress } from './address.ts'
import type { Address, Database, EndpointKind, Engine } from './database.ts'
import { parseEndpoint } from './endpoint.ts'
import { parseRoleArn } from './role-arn.ts'
import { userProblem } from './user-name.ts'

/** One database as the configuration has it, its types checked by the schema. */
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
  /** `limits.newTokensPerSecond`, its range checked by the schema. */
  readonly newTokensPerSecond?: number | undefined
}

export interface DatabaseProblem {
  /** Within the database: `roleArn`, `users[1]`. */
  readonly path: string
  readonly message: string
}

export type CheckedDatabase =
  | { readonly ok: true; readonly database: Database }
  | { readonly ok: false; readonly problems: readonly DatabaseProblem[] }

type Report = (path: keyof DatabaseSpec | `users[${number}]`, message: string) => void

const DEFAULT_PORT: Readonly<Record<Engine, number>> = { postgres: 5432, mysql: 3306, mariadb: 3306 }

/**
 * RDS allows 20 logins a second with tokens of different identities; 16 leaves room for the up to 250 ms between
 * hand-out and login.
 */
const DEFAULT_NEW_TOKENS_PER_SECOND = 16

const ID_OF_INSTANCE = '`db-…` of the instance (DbiResourceId)'
const ID_OF_CLUSTER = '`cluster-…` of the cluster (DbClusterResourceId)'
const ID_OF_PROXY = '`prx-…` of the proxy (the end of its DBProxyArn)'
const ANY_ID = `${ID_OF_INSTANCE}, ${ID_OF_CLUSTER} or ${ID_OF_PROXY}`
const RESOURCE_ID: Readonly<Record<EndpointKind, { prefixes: readonly string[]; wanted: string }>> = {
  // The endpoints of a cluster's instances are covered by the id of the cluster.
  instance: { prefixes: ['db-', 'cluster-'], wanted: `${ID_OF_INSTANCE}, or in Aurora ${ID_OF_CLUSTER}` },
  cluster: { prefixes: ['cluster-'], wanted: ID_OF_CLUSTER },
  shardGroup: { prefixes: ['cluster-'], wanted: ID_OF_CLUSTER },
  proxy: { prefixes: ['prx-'], wanted: ID_OF_PROXY },
}

/**
 * Makes a frozen `Database` of one database of the configuration, or gives everything that is wrong with it at once.
 * Pure: AWS is not asked, so a role or resource id of the right form may still be of another database. The name is the
 * schema's to check. Messages quote no values but partitions and regions.
 */
export function checkDatabase(spec: DatabaseSpec): CheckedDatabase {
  const problems: DatabaseProblem[] = []
  const report: Report = (path, message) => void problems.push({ path, message })
  const { name, engine, resourceId, roleArn, externalId, dbname } = spec

  const endpoint = parseEndpoint(spec.host)
  if (!endpoint.ok) report('host', endpoint.problem)
  const port = spec.port ?? DEFAULT_PORT[engine]
  checkPort(port, report)
  checkResourceId(resourceId, endpoint.ok ? endpoint.kind : undefined, report)
  const role = parseRoleArn(roleArn)
  if (!role.ok) report('roleArn', role.problem)
  else if (endpoint.ok && role.partition !== endpoint.partition)
    report(
      'roleArn',
      `is of partition ${role.partition}, the endpoint of ${endpoint.partition}: a role works in its own partition alone`,
    )
  checkUsers(spec.users, engine, report)
  if (externalId !== undefined) checkExternalId(externalId, report)
  if (dbname !== undefined) checkDbname(dbname, report)
  const connect = spec.connect === undefined ? undefined : readConnect(spec.connect, report)

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
function checkPort(port: number, report: Report): void {
  if (!Number.isInteger(port) || port < 1150 || port > 65_535)
    report('port', "is no port that RDS listens on (1150 to 65535); a tunnel's port belongs in `connect`")
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html */
function checkResourceId(id: string, kind: EndpointKind | undefined, report: Report): void {
  if (!/^(?:db|cluster|prx)-[A-Za-z0-9]+$/.test(id))
    report('resourceId', `is no resource id of RDS: give the ${kind ? RESOURCE_ID[kind].wanted : ANY_ID}`)
  else if (kind && !RESOURCE_ID[kind].prefixes.some(prefix => id.startsWith(prefix)))
    report(
      'resourceId',
      `does not fit the endpoint, which is of kind ${kind}: give the ${RESOURCE_ID[kind].wanted}`,
    )
}

function checkUsers(users: readonly string[], engine: Engine, report: Report): void {
  if (users.length === 0) report('users', 'is empty: name the database users that tokens may be had for')
  users.forEach((user, index) => {
    const problem = userProblem(user, engine) ?? (users.indexOf(user) < index ? 'is named twice' : undefined)
    if (problem) report(`users[${index}]`, problem)
  })
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function checkExternalId(id: string, report: Report): void {
  if (!/^[\w+=,.@:/-]{2,1224}$/.test(id))
    report('externalId', 'is none that STS takes: 2 to 1224 letters, digits and _+=,.@:/-')
}

/** It becomes an environment variable of the caller's command. */
function checkDbname(dbname: string, report: Report): void {
  if (dbname === '' || /\p{Cc}/u.test(dbname)) report('dbname', 'is empty or has control characters in it')
}

function readConnect(connect: string, report: Report): Address | undefined {
  const address = parseAddress(connect)
  if (!address) report('connect', 'is not host:port (an IPv6 address in brackets: [::1]:15432)')
  return address
}
