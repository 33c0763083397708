import type { Registry } from 'prom-client'
import { type AuditLog, createAuditLog } from './audit/audit-log.ts'
import type { LifecycleRecord } from './audit/lifecycle-record.ts'
import { openSinks, type SinkParts } from './audit/open-sinks.ts'
import { createIssuerKeysCache } from './authentication/issuer-keys-cache.ts'
import { createCorrectedClock } from './aws/corrected-clock.ts'
import type { Config } from './config/config.ts'
import { type AppOptions, createApp } from './http/app.ts'
import { closeApp } from './http/close-app.ts'
import { type CertificateEnd, createServedCertificate } from './http/served-certificate.ts'
import type { App } from './http/types.ts'
import { createBackgroundTasks } from './lib/background-tasks.ts'
import { type Clock, monotonicClock } from './lib/clock.ts'
import { waitAtMost } from './lib/deadline.ts'
import type { Fetch } from './lib/fetch-json.ts'
import { createCaBundles } from './rds/ca-bundles.ts'
import { resourceKey } from './rds/database.ts'
import { openStore } from './store/open-store.ts'
import { createHealth, type Health } from './telemetry/health.ts'
import { openMetrics } from './telemetry/open-metrics.ts'
import type { Readings } from './telemetry/readings.ts'
import type { TraceContext } from './telemetry/trace-context.ts'
import { createTraceCalls, type Traces } from './telemetry/traces.ts'
import { createDeliveryCounts } from './tokens/rate-limit/delivery-counts.ts'
import { createRateLimiter } from './tokens/rate-limit/rate-limiter.ts'
import { traceRateLimiter } from './tokens/rate-limit/traced-rate-limiter.ts'
import { createAssumeRole } from './tokens/role-session/assume-role.ts'
import { createRoleBreaker } from './tokens/role-session/role-breaker.ts'
import { signToken } from './tokens/sign.ts'
import { createTokenCache } from './tokens/token-cache.ts'
import { createConfigurationInUse, type InUse } from './vending/configuration-in-use.ts'
import { createReadings, createResourceNames, refreshFleetSlots } from './vending/readings.ts'
import { createRepeatVend } from './vending/repeat-vend.ts'
import type { BeginAudit } from './vending/request-audit.ts'
import { createTracedAudits } from './vending/traced-audits.ts'
import { createVendToken } from './vending/vend-token.ts'

/** The longest that background tasks may delay a close, or a freeze on Lambda: AWS may take longer to answer. */
const DRAIN_MS = 2000

export interface ServiceOptions extends Pick<SinkParts, 'log' | 'stdout' | 'recordMemory'> {
  /** The name of this process in audit records. */
  instance: string
  /** Where metrics are registered; without it there are none. */
  registry?: Registry
  /** Of jeton, for the metrics. */
  version?: string
  /** Where spans go; without it there are none. */
  traces?: Traces | undefined
  /** What follows requests for `log`; default: nothing does. */
  traceContext?: TraceContext | undefined
  /** How issuers are reached; default: directly, by the global `fetch`. */
  fetch?: Fetch
  /** How callers reach the app; default: the configuration's `server`. */
  http?: AppOptions
  /** The longest that a request waits for a slot for a new token, in milliseconds; default 5 s. */
  slotWaitMs?: number
  /** Whether stand-ins are in the place of AWS and issuers, which `/readyz` then says. */
  isDev?: boolean
}

/** A whole jeton, ready to listen. */
export interface Service {
  readonly app: App
  readonly auditLog: AuditLog
  readonly clock: Clock
  readonly health: Health
  readonly readings: Readings
  /** Returns the configuration that it works by at this moment. */
  inUse(): InUse
  /** Begins the record of a request that reached another listener. */
  readonly beginAudit: BeginAudit
  /** Adds the certificate of another listener to the readings. */
  addCertificate(certificate: CertificateEnd): void
  /** Reads the fleet's slots of each resource that was not read within the last second. Never rejects. */
  refreshFleetSlots(): Promise<void>
  /** Replaces issuers, keys, databases, grants and the certificate with those of `config`. Ports, sinks and stores stay. */
  reload(config: Config): void
  /** Call if a changed configuration was refused, and the previous one stays in use. */
  noteRefusedReload(): void
  /**
   * Resolves when the background tasks of past requests are done, records of refusals included, or after 2 s. Call it before
   * the process freezes.
   */
  drain(): Promise<void>
  /** Finishes the requests in flight, writes the record that `lastRecord` then returns, and closes the sinks. */
  close(lastRecord?: () => LifecycleRecord): Promise<void>
}

/**
 * Creates every part and connects them; parts meet nowhere else. Rejects if an audit sink cannot be opened, but not if a
 * store does not answer: it is called only when it is needed.
 */
export async function createService(config: Config, options: ServiceOptions): Promise<Service> {
  const {
    log,
    instance,
    registry,
    version,
    slotWaitMs,
    traces,
    traceContext,
    isDev = false,
    fetch = globalThis.fetch,
    http = config.server,
  } = options
  const traced = createTraceCalls(traces)
  const health = createHealth()
  const metrics = await openMetrics({ registry, health, version, traces })
  const clock = createCorrectedClock({ log, metrics })
  const timer = monotonicClock()
  const backgroundTasks = createBackgroundTasks()

  const sinks = await openSinks(config.audit, { ...options, clock, timer, health, random: Math.random })
  const auditLog = createAuditLog({ sinks, clock, timer, health, log, metrics, instance })
  const beginAudit = createTracedAudits({ auditLog, clock, instance, onEnded: metrics.onDecided, traces })

  const fetchKeys = traced('jeton.fetch_keys', fetch)
  const issuerKeys = createIssuerKeysCache({ clock, log, health, backgroundTasks, fetch: fetchKeys })
  const inUse = createConfigurationInUse(config, { clock, health, issuerKeys, traces })
  const nameOf = createResourceNames(inUse.current)

  const encryptedStore = await openStore(config.store, { clock, health, log, metrics, backgroundTasks })
  const deliveries = createDeliveryCounts(clock)
  const rateLimiter = createRateLimiter({
    ...{ encryptedStore, clock, slotWaitMs },
    onSlotGiven: ({ resource, waitedMs }) => metrics.onSlotGiven({ resource: nameOf(resource), waitedMs }),
  })
  const assumeRole = traced('jeton.assume_role', createAssumeRole({ clock, health, log }))
  const shared = { encryptedStore, clock, log, backgroundTasks, random: Math.random }
  const tokenCache = createTokenCache({
    ...shared,
    slotWaitMs,
    sign: signToken,
    rateLimiter: traceRateLimiter(rateLimiter, traces),
    roleAssumer: createRoleBreaker(assumeRole, shared),
    onMinted: ({ database }) => metrics.onMinted(database.name),
    onDelivered: ({ database }) => deliveries.add(resourceKey(database)),
  })
  const caBundles = createCaBundles(clock)

  const app = await createApp(
    {
      currentPolicy: () => inUse.current().policy,
      vend: traced('jeton.vend', createVendToken(tokenCache)),
      repeatVend: createRepeatVend(tokenCache),
      caBundles,
      health,
      ...{ clock, timer, log },
      beginAudit,
      onVended: metrics.onVended,
      metrics,
      ...{ traces, traceContext },
      isDev,
    },
    http,
  )

  const certificate = createServedCertificate(app, http.tls)
  const certificates: CertificateEnd[] = [{ of: 'server', notAfter: certificate.notAfter }]
  const readings = createReadings({
    ...{ clock, rateLimiter, deliveries, tokenCache, caBundles },
    certificates: () => certificates.map(({ of, notAfter }) => ({ of, notAfter: notAfter() })),
    inUse: inUse.current,
  })
  metrics.onReadable(readings, clock)

  return {
    app,
    auditLog,
    clock,
    health,
    readings,
    inUse: inUse.current,
    beginAudit,
    addCertificate: added => void certificates.push(added),
    refreshFleetSlots: () => refreshFleetSlots(inUse.current().config, rateLimiter),
    reload(changed) {
      inUse.replace(changed)
      certificate.renew(changed.server.tls)
    },
    noteRefusedReload: inUse.noteRefusedReload,
    async drain() {
      await waitAtMost(Promise.all([backgroundTasks.drain(), auditLog.drain()]), { clock, maxMs: DRAIN_MS })
    },
    async close(lastRecord) {
      await closeApp(app)
      await waitAtMost(backgroundTasks.drain(), { clock, maxMs: DRAIN_MS })
      await auditLog.close(lastRecord?.())
    },
  }
}
