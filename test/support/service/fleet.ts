import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AttributeValue, DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { SignedEndpoint } from '../../../src/dev/aws/rds-verifier.ts'
import { type Dynamodb, startDynamodb } from '../aws/dynamodb.ts'
import { type Jeton, startJeton } from './jeton.ts'
import { startTestEnvironment, type TestEnvironment } from './test-environment.ts'

/** A database of the fleet. Each has its own role, resource and slots, so that tests do not disturb each other. */
export interface FleetDatabase {
  session?: 'shared' | 'per-principal'
  newTokensPerSecond?: number
}

export interface FleetOptions {
  /** By name. Anyone with a JWT gets tokens of each, for all of `USERS`. */
  databases: Readonly<Record<string, FleetDatabase>>
  /** Replaces sections of every instance's configuration. */
  config?: object
  /** Added to every instance's environment. */
  env?: Record<string, string>
}

export interface InstanceOptions {
  /** Replaces sections of this instance's configuration. */
  config?: object
  /** Added to this instance's environment. */
  env?: Record<string, string>
  /** The CLI of another release; this build's unless given. */
  cli?: string
}

export interface CallerOptions {
  /** `USERS[0]` unless given. */
  user?: string
  /** The caller; `someone` unless given. */
  subject?: string
}

export type Answer = Awaited<ReturnType<Jeton['requestToken']>>

/** Instances of jeton, each in a process of its own, that share one table. */
export interface Fleet {
  readonly environment: TestEnvironment
  readonly dynamodb: Dynamodb
  /** In the order in which they were started. */
  readonly instances: readonly Jeton[]
  /** Starts one more instance. */
  startInstance(options?: InstanceOptions): Promise<Jeton>
  /** Starts `count` equal instances at once. */
  startInstances(count: number): Promise<Jeton[]>
  requestToken(instance: Jeton, database: string, options?: CallerOptions): Promise<Answer>
  /** The store's items whose key begins with `prefix`. */
  storedItems(prefix: string): Promise<Record<string, unknown>[]>
  /** Sets attributes of the store's item with this key, as another release or an attacker might. */
  updateItem(pk: string, attributes: Record<string, AttributeValue>): Promise<void>
  close(): Promise<void>
}

/** The users of every database of a fleet. */
export const USERS = ['app_ro', 'app_rw', 'migrator'] as const

export const TABLE = 'jeton'

/** A timeout for hooks that start a fleet: one instance takes about a second, a fleet on a busy machine many. */
export const FLEET_START_MS = 120_000

/**
 * Starts the stand-ins of a fleet, without any instance yet. Audit records go to stdout, not to the store's DynamoDB, so that
 * a test can break the store alone. Every instance has an admin listener.
 */
export async function startFleet({ databases, config = {}, env = {} }: FleetOptions): Promise<Fleet> {
  const [environment, dynamodb] = await Promise.all([startTestEnvironment(), startDynamodb()])
  const keyFile = await newKeyFile(environment, 'store.key')
  const attacker = new DynamoDBClient({
    endpoint: dynamodb.url,
    region: 'us-east-1',
    credentials: environment.sts.credentials,
  })
  const instances: Jeton[] = []
  const baseConfig = environment.config({
    databases: Object.fromEntries(
      Object.entries(databases).map(([name, options]) => [name, databaseOf(name, options)]),
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

  async function startInstance(options: InstanceOptions = {}): Promise<Jeton> {
    const instance = await startJeton({
      config: { ...baseConfig, ...options.config },
      // The stand-in STS accepts only its own credentials, the others accept any.
      env: { ...dynamodb.environment(), ...env, ...environment.serverEnv, ...options.env },
      cli: options.cli,
    })
    instances.push(instance)
    return instance
  }

  return {
    environment,
    dynamodb,
    instances,
    startInstance,
    startInstances: count => Promise.all(Array.from({ length: count }, () => startInstance())),
    async requestToken(instance, database, { user = USERS[0], subject = 'someone' } = {}) {
      const jwt = await environment.issuer.sign({ sub: subject })
      return instance.requestToken(`Bearer ${jwt}`, { database, user })
    },
    async storedItems(prefix) {
      const items = await dynamodb.items(TABLE)
      return items.filter(({ pk }) => String(pk).startsWith(prefix))
    },
    async updateItem(pk, attributes) {
      const names = Object.keys(attributes)
      await attacker.send(
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
      attacker.destroy()
      await Promise.all(instances.map(instance => instance.close()))
      await Promise.all([environment.close(), dynamodb.close()])
    },
  }
}

export const storeWith = (encryption: object) => ({ type: 'dynamodb', table: TABLE, encryption })

/** Writes a new key for the store to a file; returns its path. */
export async function newKeyFile({ folder }: TestEnvironment, name: string): Promise<string> {
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

/** The endpoint of a fleet's database, for `verifyToken`. */
export function endpointOf(name: string): SignedEndpoint {
  const { host, resourceId } = databaseOf(name)
  return { host, resourceId, port: 5432, region: 'us-east-1' }
}

export const roleOf = (name: string) => `arn:aws:iam::123456789012:role/jeton-${name}`
