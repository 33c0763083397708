import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { distinct, getOrCreate } from '../lib/maps.ts'
import type { CaBundles } from '../rds/ca-bundles.ts'
import { type Database, resourceKey } from '../rds/database.ts'
import { type RdsResource, resourcesOf } from '../rds/resources.ts'
import type { ExpiryReading, RateReading, Readings } from '../telemetry/readings.ts'
import { liveTokens, roleSessions } from '../tokens/cache-readings.ts'
import type { DeliveryCounts } from '../tokens/rate-limit/delivery-counts.ts'
import type { SlotReadings } from '../tokens/rate-limit/rate-limiter.ts'
import { hashGrant } from '../tokens/rate-limit/slot-owner.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { InUse } from './configuration-in-use.ts'

/** Vends need the store too. */
const MAX_READS_AT_ONCE = 8

export interface ReadingsParts {
  clock: Pick<Clock, 'now'>
  rateLimiter: SlotReadings
  deliveries: Pick<DeliveryCounts, 'read'>
  tokenCache: Pick<TokenCache, 'entries'>
  caBundles: Pick<CaBundles, 'nameFor' | 'byName'>
  /** Returns when the certificates of jeton's listeners end; undefined for a listener without TLS. */
  certificates(): readonly { readonly of: string; readonly notAfter: number | undefined }[]
  inUse(): InUse
}

/**
 * Returns what an instance knows of itself. Names are those of the configuration in use: what a reload has removed is left
 * out, though its tokens may be cached. Nothing is worked out before it is asked for.
 */
export function createReadings(parts: ReadingsParts): Readings {
  const { clock, rateLimiter, deliveries, tokenCache, caBundles, certificates, inUse } = parts
  const grantNames = memoizeLast(
    ({ grants }: Config) => new Map(grants.map(({ name }) => [hashGrant(name), name])),
  )

  function waiting(resource: string): RateReading['waiting'] {
    const callersByHash = [...rateLimiter.waiting(resource)]
    if (callersByHash.length === 0) return []
    const names = grantNames(inUse().config)
    return callersByHash.flatMap(([hash, callers]) => {
      const grant = names.get(hash)
      return grant === undefined ? [] : [{ grant, callers }]
    })
  }

  function rateOf({ key, name, databases }: RdsResource): RateReading {
    const { newTokensPerSecond: perSecond } = databases[0]
    return {
      resource: name,
      databases: databases.map(database => database.name),
      perSecond,
      horizonMs: rateLimiter.horizonMs,
      ...deliveries.read(key),
      waiting: waiting(key),
      fleet: rateLimiter.fleetSlots({ resource: key, perSecond }),
    }
  }

  /** Returns a filter for what is cached: a reload may have removed a database, or given its name to another. */
  function configuredFilter(): (database: Database) => boolean {
    const keys = new Map(inUse().config.databases.map(database => [database.name, resourceKey(database)]))
    // thousands of tokens have few databases
    const known = new Map<Database, boolean>()
    const create = (database: Database) => keys.get(database.name) === resourceKey(database)
    return database => getOrCreate(known, { key: database, create: () => create(database) })
  }

  function certificateExpiries(): ExpiryReading[] {
    return certificates().flatMap(({ of, notAfter }) =>
      notAfter === undefined ? [] : [{ of, kind: 'certificate' as const, notAfter }],
    )
  }

  function caBundleExpiries(): ExpiryReading[] {
    const names = distinct(inUse().config.databases.map(caBundles.nameFor))
    return names.flatMap(of => {
      const bundle = caBundles.byName(of)
      return bundle ? [{ of, kind: 'ca-bundle' as const, notAfter: Date.parse(bundle.notAfter) }] : []
    })
  }

  return {
    rates: () => resourcesOf(inUse().config.databases).map(rateOf),
    liveTokens: () => liveTokens(tokenCache.entries(), { now: clock.now(), isRead: configuredFilter() }),
    roleSessions: () => roleSessions(tokenCache.entries(), { now: clock.now(), isRead: configuredFilter() }),
    issuerKeys: () =>
      inUse().policy.issuers.map(({ name, issuer, keys }) => ({
        issuer: name,
        url: issuer,
        ...keys.reading(),
      })),
    configuration() {
      const { loadedAt, lastReload } = inUse()
      return { loadedAt, lastReload }
    },
    expiries: () => [...certificateExpiries(), ...caBundleExpiries()],
  }
}

/** Reads the records of the fleet's slots that were not read within the last second, a few at a time. Never rejects. */
export async function refreshFleetSlots(
  config: Config,
  rateLimiter: Pick<SlotReadings, 'refreshFleetSlots'>,
): Promise<void> {
  const resources = resourcesOf(config.databases).values()
  async function refreshNext(): Promise<void> {
    for (const { key, databases } of resources)
      await rateLimiter.refreshFleetSlots({ resource: key, perSecond: databases[0].newTokensPerSecond })
  }
  await Promise.all(Array.from({ length: MAX_READS_AT_ONCE }, refreshNext))
}

/** Returns a function that names a resource by its key, as readings do; undefined if the configuration has no such resource. */
export function createResourceNames(inUse: () => Pick<InUse, 'config'>): (key: string) => string | undefined {
  const names = memoizeLast(
    (config: Config) => new Map(resourcesOf(config.databases).map(({ key, name }) => [key, name])),
  )
  return key => names(inUse().config).get(key)
}

/** Returns a function that works its value out again only for another argument than the last. */
function memoizeLast<A extends object, T>(work: (argument: A) => T): (argument: A) => T {
  let last: { argument: A; value: T } | undefined
  return argument => {
    if (last?.argument !== argument) last = { argument, value: work(argument) }
    return last.value
  }
}
