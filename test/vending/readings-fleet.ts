import { Registry } from 'prom-client'
import { createIssuerKeysCache } from '../../src/authentication/issuer-keys-cache.ts'
import type { Config } from '../../src/config/config.ts'
import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { createCaBundles } from '../../src/rds/ca-bundles.ts'
import { type Database, resourceKey } from '../../src/rds/database.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import type { Metrics } from '../../src/telemetry/metrics.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'
import type { Readings } from '../../src/telemetry/readings.ts'
import { createDeliveryCounts } from '../../src/tokens/rate-limit/delivery-counts.ts'
import { createRateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import { slotOwner } from '../../src/tokens/rate-limit/slot-owner.ts'
import { tokenKey } from '../../src/tokens/token-key.ts'
import { type ConfigurationInUse, createConfigurationInUse } from '../../src/vending/configuration-in-use.ts'
import { createReadings, createResourceNames, refreshFleetSlots } from '../../src/vending/readings.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { asEncrypted } from '../support/service/as-encrypted.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { createInstance, type Instance } from '../tokens/instances.ts'

export const CONFIG: Config = {
  server: { host: '127.0.0.1', port: 0 },
  issuers: [],
  apiKeys: {},
  databases: [ORDERS],
  grants: ['deploy', 'reports'].map(name => ({
    name,
    principal: { issuer: 'ci', subject: '*' },
    database: 'orders',
    users: ['app_ro'],
  })),
  store: { type: 'memory' },
  audit: [{ type: 'stdout' }],
  origin: { sha256: '', files: {} },
}

/** An instance of a fleet, with its readings. */
export interface ReadInstance extends Omit<Instance, 'get'> {
  readonly readings: Readings
  readonly inUse: ConfigurationInUse
  /** When the certificate of its server ends; undefined without TLS. */
  server: { notAfter: number | undefined }
  /** How long callers waited for slots, in the order in which they got them. */
  readonly slotWaits: { resource: string; waitedMs: number }[]
  readonly metrics: Metrics
  /** How often it read the slots of the fleet. */
  slotReads(): number
  /** Returns the lines of `jeton_…` as they are scraped. */
  scrape(): Promise<string[]>
  /** Starts to get a token for a principal of its own under a grant, and delivers it. */
  get(subject: string, options?: { grant?: string; database?: Database }): Promise<void>
  refresh(): Promise<void>
}

/** Returns instances that share a store, on one virtual clock, put together as in `createService`. */
export function startReadFleet(
  instances: number,
  config = CONFIG,
): { clock: VirtualClock; fleet: ReadInstance[] } {
  const clock = virtualClock()
  const store = createMemoryStore(clock)

  function start(): ReadInstance {
    const deliveries = createDeliveryCounts(clock)
    const slotWaits: ReadInstance['slotWaits'] = []
    const registry = new Registry()
    const health = createHealth()
    const metrics = createMetrics({ health, registry, version: '1.2.3' })
    let instance: Instance | undefined
    let slotReads = 0
    const slotStore = asEncrypted({
      async read(key) {
        slotReads++
        return failing() ?? store.read(key)
      },
      compareAndSwap: async write => failing() ?? store.compareAndSwap(write),
    })
    function failing(): undefined {
      if (instance?.store.fails) throw instance.store.fails
    }
    const rateLimiter = createRateLimiter({
      encryptedStore: slotStore,
      clock,
      onSlotGiven(given) {
        slotWaits.push(given)
        metrics.onSlotGiven({ ...given, resource: nameOf(given.resource) })
      },
    })
    instance = createInstance({
      store,
      clock,
      rateLimiter,
      onDelivered: ({ database }) => deliveries.add(resourceKey(database)),
    })
    const { tokenCache } = instance
    const backgroundTasks = createBackgroundTasks()
    const issuerKeys = createIssuerKeysCache({
      clock,
      log: createLogRecorder(),
      health,
      backgroundTasks,
      fetch: async () => Response.json({}, { status: 500 }),
    })
    const inUse = createConfigurationInUse(config, { clock, health, issuerKeys })
    const nameOf = createResourceNames(inUse.current)
    const server: ReadInstance['server'] = { notAfter: undefined }
    const readings = createReadings({
      clock,
      rateLimiter,
      deliveries,
      tokenCache,
      caBundles: createCaBundles(clock),
      certificates: () => [{ of: 'server', notAfter: server.notAfter }],
      inUse: inUse.current,
    })
    metrics.onReadable(readings, clock)
    return {
      ...instance,
      readings,
      inUse,
      server,
      slotWaits,
      metrics,
      slotReads: () => slotReads,
      scrape: async () => (await registry.metrics()).split('\n').filter(line => line.startsWith('jeton_')),
      async get(subject, { grant = 'deploy', database = ORDERS } = {}) {
        const principal = { issuer: 'ci', subject }
        const owner = slotOwner(grant, principal)
        const delivery = await tokenCache.get(tokenKey({ database, user: 'app_ro', principal }), { owner })
        await delivery.deliver(owner)
      },
      refresh: () => refreshFleetSlots(inUse.current().config, rateLimiter),
    }
  }

  return { clock, fleet: Array.from({ length: instances }, start) }
}
