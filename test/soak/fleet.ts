import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { storeWith } from '../support/service/fleet.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'
import { type Instance, startInstance } from './instance.ts'

/** Below RDS's 20, since the arrival of a token is only known by when this busy machine reads it. */
export const NEW_TOKENS_PER_SECOND = 12
/** Shorter than AWS's hour, so that tokens are renewed many times in ten minutes. */
const ROLE_SESSION_MS = 8 * 60_000

/** Who may have tokens of the one database: callers that are always there, newcomers, and a swarm that shares its slots. */
export const GRANTS = [
  { name: 'regulars', principal: { issuer: 'ci', subject: 'regular-*' }, users: ['app_ro', 'app_rw'] },
  { name: 'newcomers', principal: { issuer: 'ci', subject: 'newcomer-*' }, users: ['migrator'] },
  { name: 'swarm', principal: { issuer: 'ci', subject: 'swarm-*' }, users: ['app_ro'] },
].map(grant => ({
  ...grant,
  database: 'orders',
  session: grant.name === 'regulars' ? 'shared' : 'per-principal',
}))

/** Two instances of jeton on one table, and the stand-ins that they call. */
export interface SoakFleet {
  readonly environment: TestEnvironment
  readonly dynamodb: Dynamodb
  readonly instances: readonly Instance[]
  /** What goes wrong now, or went wrong last. */
  lastDisturbance: string
  /** Returns the configuration of every instance, with these sections replaced. */
  config(sections?: object): object
  /** Ends the stand-ins. Stop the instances first. */
  close(): Promise<void>
}

export async function startSoakFleet(): Promise<SoakFleet> {
  const [environment, dynamodb] = await Promise.all([startTestEnvironment(), startDynamodb()])
  environment.sts.faults.lifetimeMs = ROLE_SESSION_MS
  const keyFile = join(environment.folder, 'store.key')
  await writeFile(keyFile, randomBytes(32).toString('base64'))

  const { databases } = environment.config() as { databases: Record<'orders', object> }
  const config = (sections: object = {}) =>
    environment.config({
      databases: { orders: { ...databases.orders, limits: { newTokensPerSecond: NEW_TOKENS_PER_SECOND } } },
      grants: GRANTS,
      store: storeWith({ keyFile }),
      ...sections,
    })
  const env = { ...dynamodb.environment(), ...environment.serverEnv }
  const instances = await Promise.all(
    ['a', 'b'].map(name => startInstance({ name, folder: environment.folder, config: config(), env })),
  )
  return {
    environment,
    dynamodb,
    instances,
    lastDisturbance: 'nothing yet',
    config,
    close: async () => void (await Promise.all([environment.close(), dynamodb.close()])),
  }
}
