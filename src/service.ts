import type { Writable } from 'node:stream'
import { Server as TlsServer } from 'node:tls'
import type { Registry } from 'prom-client'
import { type AuditLog, createAuditLog } from './audit/audit-log.ts'
import { openSinks } from './audit/open-sinks.ts'
import { createIssuerKeysCache } from './authentication/issuer-keys-cache.ts'
import type { Config } from './config/config.ts'
import { type AppOptions, createApp } from './http/app.ts'
import type { App } from './http/types.ts'
import { createBackgroundTasks } from './lib/background-tasks.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { waitAtMost } from './lib/deadline.ts'
import { createCaBundles } from './rds/ca-bundles.ts'
import { openStores } from './store/open-stores.ts'
import { createHealth } from './telemetry/health.ts'
import type { Log } from './telemetry/log.ts'
import { NO_METRICS } from './telemetry/metrics.ts'
import { createRateLimiter } from './tokens/rate-limit/rate-limiter.ts'
import { createRoleAssumer } from './tokens/role-session/assume-role.ts'
import { createRoleBreaker } from './tokens/role-session/role-breaker.ts'
import { signToken } from './tokens/sign.ts'
import { createTokenCache } from './tokens/token-cache.ts'
import { compileAccessPolicy } from './vending/access-policy.ts'
import { createRequestAudits } from './vending/request-audit.ts'
import { createVendToken } from './vending/vend-token.ts'

/** How long what requests have left behind may hold up an end, or a freeze: it may hang as long as AWS does. */
const SETTLE_MS = 2000

export interface ServiceOptions {
  log: Log
  /** Where the audit log goes that is called stdout. */
  stdout: Writable
  /** Which of several servers this is, in records. */
  instance: string
  /** Where metrics are kept; without it none are. */
  registry?: Registry
  /** How callers reach it, where that is not what the configuration's `server` says. */
  http?: AppOptions
  /** How long a caller waits for the turn of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number
}

/** All of jeton, put together and ready to listen. */
export interface Service {
  readonly app: App
  readonly auditLog: AuditLog
  readonly clock: Clock
  /** Goes on with another configuration: its issuers, keys, databases, grants and certificate; ports and logs stay. */
  reload(config: Config): void
  /**
   * Resolves when all is done that requests have left behind, records of refusals included, or has had 2 s for it: for who
   * freezes between requests.
   */
  drain(): Promise<void>
  /** Finishes what is in flight and closes the logs. */
  close(): Promise<void>
}

/**
 * The only place where parts meet. Rejects where an audit log cannot be opened; a store that is away is no reason.
 * Clock, store, audit log, token cache and discovered keys live on through a reload; the rules are compiled anew.
 */
export async function createService(config: Config, world: ServiceOptions): Promise<Service> {
  const { log, stdout, instance, registry, slotWaitMs, http = config.server } = world
  const health = createHealth()
  const metrics = registry
    ? (await import('./telemetry/prometheus.ts')).createMetrics({ health, registry })
    : NO_METRICS
  const clock = systemClock({
    onCorrected(offsetMs) {
      log.warn(
        { event: 'clock_corrected', offsetMs },
        "the machine's clock is wrong; corrected by what AWS says the time is",
      )
      metrics.clockCorrected(offsetMs)
    },
  })

  const timer = systemClock()
  const sinks = await openSinks(config.audit, { clock, timer, log, stdout })
  const auditLog = createAuditLog({ sinks, clock, timer, health, log, metrics, instance })
  const stores = await openStores(config.store, { clock, health, log, metrics })
  const backgroundTasks = createBackgroundTasks()
  const shared = { clock, log, backgroundTasks, random: Math.random }
  const tokenCache = createTokenCache({
    ...shared,
    encryptedStore: stores.encrypted,
    rateLimiter: createRateLimiter({ store: stores.plain, clock }),
    roleAssumer: createRoleBreaker(createRoleAssumer({ clock, health, log }), {
      ...shared,
      store: stores.plain,
    }),
    sign: signToken,
    slotWaitMs,
    onMinted: ({ database }) => metrics.minted(database.name),
  })

  const issuerKeys = createIssuerKeysCache({ clock, log, health, backgroundTasks, fetch: globalThis.fetch })
  let rules = compileAccessPolicy(config, { clock, keysOf: issuerKeys.of })
  let roles = rolesOf(config)
  const app = await createApp(
    {
      policy: () => rules,
      vend: createVendToken(tokenCache),
      caBundles: createCaBundles(clock),
      health,
      clock,
      log,
      beginAudit: createRequestAudits({ auditLog, clock, instance, onEnded: metrics.decided }),
      onAnswered: metrics.answered,
    },
    http,
  )
  return {
    app,
    auditLog,
    clock,
    reload(changed) {
      rules = compileAccessPolicy(changed, { clock, keysOf: issuerKeys.of })
      issuerKeys.retain(changed.issuers)
      const rolesNow = rolesOf(changed)
      for (const role of roles) if (!rolesNow.has(role)) health.report('sts', { ok: true, of: role })
      roles = rolesNow
      renewCertificate(app, changed.server.tls)
    },
    drain: () => waitAtMost(SETTLE_MS, Promise.all([backgroundTasks.drain(), auditLog.drain()]), clock),
    async close() {
      await drain(app)
      await waitAtMost(SETTLE_MS, backgroundTasks.drain(), clock)
      await auditLog.close()
    },
  }
}

const rolesOf = ({ databases }: Config) => new Set(databases.map(({ roleArn }) => roleArn))

function renewCertificate(app: App, tls: Config['server']['tls']): void {
  if (tls && app.server instanceof TlsServer) app.server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' })
}

/** Closes the server; connections that keep alive after their last answer would hold it up for a minute. */
async function drain(app: App): Promise<void> {
  const closing = setInterval(() => app.server.closeIdleConnections(), 50)
  await app.close().finally(() => clearInterval(closing))
}
