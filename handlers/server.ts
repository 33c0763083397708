import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { Registry } from 'prom-client'
import manifest from '../package.json' with { type: 'json' }
import { createLifecycleRecords } from '../src/audit/lifecycle-record.ts'
import { logHeadHash } from '../src/audit/log-head-hash.ts'
import { needsRecordMemory } from '../src/audit/open-recent-records.ts'
import { createRecordMemory } from '../src/audit/record-memory.ts'
import { createCertificateWatch } from '../src/config/certificate-watch.ts'
import type { Listen } from '../src/config/check-config.ts'
import { findRegionProblems } from '../src/config/environment.ts'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import type { Purpose } from '../src/config/purpose.ts'
import { type ReloadParts, reload } from '../src/config/reload.ts'
import { logWarnings } from '../src/config/warnings.ts'
import type { DevMode } from '../src/dev/dev-mode.ts'
import { listen } from '../src/http/listener.ts'
import { waitAtMost } from '../src/lib/deadline.ts'
import { createEgressFetch } from '../src/lib/egress-fetch.ts'
import { type EgressProxies, readEgressProxies } from '../src/lib/egress-proxies.ts'
import { everyMinute } from '../src/lib/interval.ts'
import { escapeJson, escapeUnprintable } from '../src/lib/printable.ts'
import { createService } from '../src/service.ts'
import type { Log } from '../src/telemetry/log.ts'
import { logFormat } from '../src/telemetry/log-format.ts'
import { createPinoLog } from '../src/telemetry/pino-log.ts'
import { createTraceContext } from '../src/telemetry/trace-context.ts'
import { traceLog } from '../src/telemetry/traced-log.ts'
import { hasOpenTelemetry, type Traces } from '../src/telemetry/traces.ts'
import { type AdminListener, createAdminListener } from './admin-listener.ts'
import { closeInspector } from './inspector.ts'
import { requireRegion, watchAccess } from './own-access.ts'

/** The longest that an end waits for a collector to take the last spans. */
const FLUSH_MS = 2000

export interface ServeOptions {
  configPath: string
  /** Overrides the configured address. */
  listen: Listen
  stdout: Writable
  /** Undefined for a server of real tokens. */
  dev?: DevMode
}

/**
 * Runs `jeton serve`: listens until SIGTERM or SIGINT, then finishes the requests in flight. SIGHUP reloads the configuration.
 * Rejects if a port or an audit sink cannot be opened, and with `ConfigError` if the configuration cannot be used.
 */
export async function serve({ configPath, listen: address, stdout, dev }: ServeOptions): Promise<void> {
  const { env, stderr } = process
  const traces = await loadTraces()
  const pinoLog = createPinoLog(
    logFormat({ choice: env.JETON_LOG_FORMAT, stderr, escapeJson, escapeUnprintable }),
  )
  const traceContext = createTraceContext()
  const log = traceLog(pinoLog, traces ?? traceContext)
  const { findProxy, byVariable, problems: proxyProblems } = readEgressProxies(env)
  const problems = [...proxyProblems, ...findRegionProblems(env)]
  // before the configuration, which may be in S3
  if (problems.length > 0) throw new ConfigError(problems)
  logEgressProxies(byVariable, log)
  const load = (purpose: Purpose) => dev?.load() ?? loadConfig(configPath, { ...address, purpose })
  const config = await load('start')
  if (dev) dev.logStart(log)
  logWarnings(config, log)
  await requireRegion(config, { env, log })
  const registry = new Registry()
  const instance = `${dev ? 'dev:' : ''}${hostname()}/${process.pid}`
  const hasMemory = config.server.admin?.console && needsRecordMemory(config.audit)
  const recordMemory = hasMemory ? createRecordMemory(Date.now() * 1000) : undefined
  const service = await createService(config, {
    log,
    stdout,
    instance,
    registry,
    // whoever makes spans follows requests already
    ...(traces ? { traces } : { traceContext }),
    version: manifest.version,
    fetch: createEgressFetch({ fetch: globalThis.fetch, findProxy }),
    isDev: dev !== undefined,
    recordMemory,
  })
  const { auditLog, clock } = service
  const lifecycle = createLifecycleRecords({ clock, instance, version: manifest.version, configPath })
  let current = config
  let adminListener: AdminListener | undefined
  const close = (signal?: NodeJS.Signals) =>
    Promise.all([service.close(() => lifecycle.stopped(current, signal)), adminListener?.close()])

  auditLog.announce(lifecycle.started(config))
  // on stdout, the first line is the one that says where jeton listens
  if (!config.audit.some(({ type }) => type === 'stdout')) await service.drain()

  // as late as possible: Node may open it a while after the signal
  await closeInspector()
  let urls: { url: string; admin: string | undefined; console: string | undefined }
  try {
    adminListener = await createAdminListener(config, { service, registry, log, recordMemory })
    const url = await listen(service.app, config.server)
    urls = { url, ...(await adminListener.listen()) }
  } catch (cause) {
    await close()
    throw cause
  }

  // beside, because a search for credentials may take long
  const stopWatch = watchAccess(config, { clock, health: service.health, log })
  const watchCertificate = createCertificateWatch({ clock, log, of: 'server' })
  const watchAdminCertificate = createCertificateWatch({ clock, log, of: 'admin' })
  const stopInterval = everyMinute(clock, () => {
    auditLog.flushDue()
    logHeadHash(auditLog, { log, event: 'audit_head' })
    watchCertificate(current.server.tls)
    watchAdminCertificate(current.server.admin?.tls)
  })
  reloadOnHangup({
    config,
    log,
    load: () => load({ reloadOf: current }),
    apply(changed) {
      // first, because what is revoked must not wait for a log that hangs
      service.reload(changed)
      adminListener?.reload(changed)
      auditLog.announce(lifecycle.reloaded(current, changed))
      auditLog.flushDue()
      current = changed
    },
    onRefused(refusal) {
      service.noteRefusedReload()
      auditLog.announce(lifecycle.reloadRefused(refusal))
      auditLog.flushDue()
    },
  })
  const stopping = firstSignal('SIGTERM', 'SIGINT')

  // not earlier, because a program that has read this line may send signals
  stdout.write(`${JSON.stringify({ msg: 'listening', ...urls, ...(dev && { jwt: dev.jwtUrls() }) })}\n`)
  if (dev) process.stderr.write(dev.describe(urls))
  auditLog.flushDue()
  const signal = await stopping
  log.info({ event: 'stopping', signal }, 'stopping: the requests in flight are finished first')
  stopInterval()
  stopWatch()
  await close(signal)
  if (traces) await waitAtMost(traces.flush(), { clock, maxMs: FLUSH_MS })
  logHeadHash(auditLog, { log, event: 'audit_closed' })
}

/** OpenTelemetry makes spans only if whoever started this process has loaded it. */
async function loadTraces(): Promise<Traces | undefined> {
  if (!hasOpenTelemetry(globalThis)) return undefined
  const { createOpenTelemetryTraces } = await import('../src/telemetry/open-telemetry.ts')
  return createOpenTelemetryTraces(manifest.version)
}

/** Callers may wonder why a host cannot be reached: then the log has named the proxy. */
function logEgressProxies(byVariable: EgressProxies['byVariable'], log: Log): void {
  for (const [variable, { name }] of byVariable)
    log.info(
      { event: 'egress_proxy', variable, proxy: name },
      'requests to issuers and to AWS go through this proxy, but for what NO_PROXY names',
    )
}

function firstSignal(...signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of signals) process.once(signal, resolve)
  })
}

/** Signals that arrive during a reload are handled one after the other, so that the last one decides. */
function reloadOnHangup(parts: ReloadParts): void {
  let lastReload: Promise<unknown> = Promise.resolve()
  process.on('SIGHUP', () => {
    lastReload = lastReload.then(() => reload(parts))
  })
}
