import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { Registry } from 'prom-client'
import { logHeadHash } from '../src/audit/head-hash.ts'
import type { Config } from '../src/config/config.ts'
import { type Listen, loadConfig } from '../src/config/load.ts'
import { type ReloadOptions, reload } from '../src/config/reload.ts'
import { createAdmin } from '../src/http/admin.ts'
import { urlOf } from '../src/http/url.ts'
import { everyMinute } from '../src/lib/interval.ts'
import { createService, type Service } from '../src/service.ts'
import { createPinoLog } from '../src/telemetry/pino-log.ts'

export interface ServeOptions {
  configPath: string
  /** Instead of what the configuration says. */
  listen: Listen
  stdout: Writable
}

/**
 * `jeton serve`: listens until SIGTERM or SIGINT, then finishes what is in flight. SIGHUP reads the configuration again.
 * Rejects with `ConfigError` where the configuration cannot be used, and where a port or an audit log cannot be had.
 */
export async function serve({ configPath, listen, stdout }: ServeOptions): Promise<void> {
  const log = createPinoLog()
  const config = await loadConfig(configPath, listen)
  const registry = new Registry()
  const service = await createService(config, {
    log,
    stdout,
    instance: `${hostname()}/${process.pid}`,
    registry,
  })
  const admin = createAdmin(registry)
  const close = () => Promise.all([service.close(), admin.close()])

  try {
    await service.app.listen({ host: config.server.host, port: config.server.port })
    if (config.server.admin) await admin.listen(config.server.admin)
  } catch (cause) {
    await close()
    throw cause
  }

  const { auditLog, clock } = service
  const stopMinutes = everyMinute(clock, () => {
    auditLog.flushDue()
    logHeadHash(auditLog, { log, event: 'audit_head' })
  })
  reloadOnHangup({
    config,
    log,
    load: () => loadConfig(configPath, listen),
    apply: changed => service.reload(changed),
  })
  const stopping = firstSignal('SIGTERM', 'SIGINT')

  // only now: whoever reads this line may send signals
  stdout.write(`${JSON.stringify({ msg: 'listening', ...urlsOf(config, { service, admin }) })}\n`)
  log.info({ event: 'stopping', signal: await stopping }, 'stopping')
  stopMinutes()
  await close()
  logHeadHash(auditLog, { log, event: 'audit_closed' })
}

function urlsOf(
  { server }: Config,
  { service, admin }: { service: Service; admin: ReturnType<typeof createAdmin> },
): { url: string; admin?: string } {
  const url = urlOf(service.app.server, server)
  return server.admin ? { url, admin: urlOf(admin.server, server.admin) } : { url }
}

function firstSignal(...signals: NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of signals) process.once(signal, resolve)
  })
}

function reloadOnHangup(options: ReloadOptions): void {
  let flight: Promise<unknown> = Promise.resolve()
  process.on('SIGHUP', () => {
    flight = flight.then(() => reload(options))
  })
}
