import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type AttributeValue, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { type Dynamodb, startDynamodb } from '../aws/dynamodb.ts'
import type { SignedEndpoint } from '../databases/rds-verifier.ts'
import { type Jeton, startJeton } from './jeton.ts'
import { type Stage, setStage } from './scenario.ts'

/** A database of the fleet's. Each has a role, a resource and so turns of its own: what one test does to it no other sees. */
export interface FleetDatabase {
  session?: 'shared' | 'per-principal'
  newTokensPerSecond?: number
}

export interface FleetOptions {
  /** By name; anyone with a JWT gets tokens of each, for the users of `USERS`. */
  databases: Readonly<Record<string, FleetDatabase>>
  /** Sections of every instance's configuration. */
  config?: object
  /** More environment for every instance. */
  env?: Record<string, string>
}

export interface Joining {
  /** Sections of this instance's configuration. */
  config?: object
  /** More environment for this instance. */
  env?: Record<string, string>
  /** The CLI of another release, if not this one's. */
  cli?: string
}

export interface Asking {
  /** Default `USERS[0]`. */
  user?: string
  /** Who asks, default `someone`. */
  subject?: string
}

export type Answer = Awaited<ReturnType<Jeton['ask']>>

/** Instances of jeton, each a process of its own, on one table. */
export interface Fleet {
  readonly stage: Stage
  readonly dynamodb: Dynamodb
  /** Those that have joined, in their order. */
  readonly instances: readonly Jeton[]
  /** Starts one more. */
  join(options?: Joining): Promise<Jeton>
  /** Starts so many at once, all alike. */
  joinAll(count: number): Promise<Jeton[]>
  ask(instance: Jeton, database: string, asking?: Asking): Promise<Answer>
  /** The items of the store whose key begins so. */
  stored(prefix: string): Promise<Record<string, unknown>[]>
  /** Sets attributes of the store's item with this key, as another release or an intruder might. */
  change(pk: string, attributes: Record<string, AttributeValue>): Promise<void>
  close(): Promise<void>
}

/** Users of every database of a fleet. */
export const USERS = ['app_ro', 'app_rw', 'migrator'] as const

export const TABLE = 'jeton'

/** An instance alone takes about a second to start; a fleet on a busy machine, many. */
export const FLEET_START_MS = 120_000

/**
 * A fleet on stand-ins for AWS. Audit logs go to stdout, apart from the store, so that a store that fails is all that
 * fails; each instance has its metrics.
 */
export async function startFleet({ databases, config = {}, env = {} }: FleetOptions): Promise<Fleet> {
  const [stage, dynamodb] = await Promise.all([setStage(), startDynamodb()])
  const keyFile = await newKeyFile(stage, 'store.key')
  const intruder = new DynamoDBClient({
    endpoint: dynamodb.url,
    region: 'us-east-1',
    credentials: stage.sts.credentials,
  })
  const instances: Jeton[] = []
  const base = stage.config({
    databases: Object.fromEntries(
      Object.entries(databases).map(([name, of]) => [name, databaseOf(name, of)]),
    ),
    grants: Object.entries(databases).map(([name, { session = 'shared' }]) => ({
      name: `${name}-all`,
      principal: { issuer: 'ci', anyone: true },
      database: name,
      users: USERS,
      session,
    })),
    server: { admin: { port: 0 } },
    store: storeWith({ keyFile }),
    audit: [{ type: 'stdout' }],
    ...config,
  })

  async function join(joining: Joining = {}): Promise<Jeton> {
    const instance = await startJeton({
      config: { ...base, ...joining.config },
      // the stand-in STS knows its own credentials alone, the others believe any
      env: { ...dynamodb.environment(), ...env, ...stage.env, ...joining.env },
      cli: joining.cli,
    })
    instances.push(instance)
    return instance
  }

  return {
    stage,
    dynamodb,
    instances,
    join,
    joinAll: count => Promise.all(Array.from({ length: count }, () => join())),
    async ask(instance, database, { user = USERS[0], subject = 'someone' } = {}) {
      const jwt = await stage.issuer.sign({ sub: subject })
      return instance.ask(`Bearer ${jwt}`, { database, user })
    },
    async stored(prefix) {
      const items = await dynamodb.items(TABLE)
      return items.filter(({ pk }) => String(pk).startsWith(prefix))
    },
    async change(pk, attributes) {
      const names = Object.keys(attributes)
      await intruder.send(
        new UpdateItemCommand({
          TableName: TABLE,
          Key: { pk: { S: pk }, sk: { S: 'record' } },
          UpdateExpression: `SET ${names.map(name => `#${name} = :${name}`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(names.map(name => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(names.map(name => [`:${name}`, attributes[name]!])),
        }),
      )
    },
    async close() {
      intruder.destroy()
      await Promise.all(instances.map(instance => instance.close()))
      await Promise.all([stage.close(), dynamodb.close()])
    },
  }
}

export const storeWith = (encryption: object) => ({ type: 'dynamodb', table: TABLE, encryption })

/** A key for the store, made now; gives its path. */
export async function newKeyFile({ folder }: Stage, name: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, randomBytes(32).toString('base64'))
  return path
}

function databaseOf(name: string, { newTokensPerSecond }: FleetDatabase = {}) {
  return {
    engine: 'postgres',
    host: `${name}.c9akciq32xyz.us-east-1.rds.amazonaws.com`,
    resourceId: `db-${name.toUpperCase().padEnd(26, 'X')}`,
    roleArn: roleOf(name),
    users: USERS,
    ...(newTokensPerSecond !== undefined && { limits: { newTokensPerSecond } }),
  }
}

/** As a judge of its tokens wants it. */
export function endpointOf(name: string): SignedEndpoint {
  const { host, resourceId } = databaseOf(name)
  return { host, resourceId, port: 5432, region: 'us-east-1' }
}

export const roleOf = (name: string) => `arn:aws:iam::123456789012:role/jeton-${name}`

/** The sum of a metric over instances, of all its labels or those lines alone that have `labels` in them. */
export async function total(instances: readonly Jeton[], metric: string, labels = ''): Promise<number> {
  const pages = await Promise.all(
    instances.map(async ({ admin }) => (await fetch(`${admin}/metrics`)).text()),
  )
  const lines = pages.flatMap(page => page.split('\n'))
  const ours = lines.filter(line => /^[^{ ]+/.exec(line)?.[0] === metric && line.includes(labels))
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** How often a token was signed for a database. */
export const minted = (instances: readonly Jeton[], database: string) =>
  total(instances, 'jeton_tokens_minted_total', `database="${database}"`)

/** How often its role was asked for. */
export const assumed = ({ stage }: Fleet, database: string) =>
  stage.sts.calls.filter(({ roleArn }) => roleArn === roleOf(database)).length

/** What `/readyz` says fails. */
export async function degraded({ url }: Jeton): Promise<readonly string[]> {
  return ((await (await fetch(`${url}/readyz`)).json()) as { degraded: string[] }).degraded
}

/** The records that instances have written to stdout. */
export function recordsOf(instances: readonly Jeton[]): AuditRecord[] {
  return instances.flatMap(({ stdout }) => stdout.map(line => JSON.parse(line) as AuditRecord))
}

export interface Insisted {
  readonly answer: Answer
  /** When it came (ms). */
  readonly at: number
  /** What it was told before: to come back later. */
  readonly refusals: readonly Answer[]
}

/** Asks until it is told something else than to come back, and comes back when it is told to. */
export async function insist(ask: () => Promise<Answer>): Promise<Insisted> {
  const refusals: Answer[] = []
  for (;;) {
    const answer = await ask()
    const retryAfter = answer.headers.get('retry-after')
    if (retryAfter === null) return { answer, at: Date.now(), refusals }
    refusals.push(answer)
    await pause(Number(retryAfter) * 1000)
  }
}
