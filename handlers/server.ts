import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { pino } from 'pino'
import { compose } from '../src/compose.ts'
import type { Config } from '../src/config/config.ts'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { createAdmin } from '../src/http/admin.ts'
import { urlOf } from '../src/http/url.ts'
import type { Log } from '../src/log.ts'
import { eachMinute } from '../src/minutes.ts'

export interface ServeOptions {
  configPath: string
  /** Instead of the configuration's. */
  host?: string | undefined
  port?: number | undefined
  stdout: Writable
}

/** The program's own log: JSON on stderr, apart from the audit log. */
function programLog() {
  const formatters = { level: (level: string) => ({ level }) }
  const timestamp = pino.stdTimeFunctions.isoTime
  return pino({ base: null, timestamp, formatters }, pino.destination({ dest: 2, sync: false }))
}

/** Node and its libraries print their warnings as text: here they are lines of the log like all others. */
function logWarnings(log: Log): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => log.warn({ warning: name }, message))
}

/**
 * `jeton serve`: listens until SIGTERM or SIGINT, then finishes what is in flight. SIGHUP reads the configuration again.
 * Rejects with `ConfigError` where the configuration cannot be used, or where a port or an audit log cannot be had.
 */
export async function serve({ configPath, host, port, stdout }: ServeOptions): Promise<void> {
  const log = programLog()
  logWarnings(log)
  const config = await loadConfig(configPath, { host, port })
  const instance = `${hostname()}/${process.pid}`
  const { server } = config
  const service = await compose(config, { log, stdout, instance })
  const { app, journal, metrics, clock } = service

  await app.listen({ host: server.host, port: server.port })
  const admin = server.admin && createAdmin(metrics.registry)
  if (admin) await admin.listen(server.admin)
  const adminUrl = admin && server.admin ? { admin: urlOf(admin.server, server.admin) } : {}
  const listening = { msg: 'listening', url: urlOf(app.server, server), ...adminUrl }

  const stopMinutes = eachMinute(clock, () => {
    journal.tick()
    stateHead('the audit log so far')
  })

  function stateHead(msg: string) {
    const last = journal.lastHash()
    if (last !== undefined) log.info({ last }, msg)
  }

  let reloading: Promise<void> = Promise.resolve()
  async function reload() {
    try {
      const changed = await loadConfig(configPath, { host, port })
      warnOfWhatStays(config, changed)
      service.reload(changed)
      log.info(
        { grants: changed.grants.length, databases: changed.databases.length },
        'configuration read again',
      )
    } catch (cause) {
      const problems =
        cause instanceof ConfigError ? cause.problems : [{ path: '', message: 'cannot be read' }]
      log.error({ problems }, 'the configuration is broken: the old one stays')
    }
  }

  function warnOfWhatStays(old: Config, changed: Config) {
    for (const part of ['server', 'audit'] as const)
      if (JSON.stringify(old[part]) !== JSON.stringify(changed[part]))
        log.warn({ part }, 'this part of the configuration takes effect at the next start')
  }

  const stopped = new Promise<void>((resolve, reject) => {
    async function stop(signal: string) {
      log.info({ signal }, 'stopping')
      stopMinutes()
      await service.close()
      await admin?.close()
      stateHead('the audit log ends')
    }
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => void stop(signal).then(resolve, reject))
  })
  process.on('SIGHUP', () => {
    reloading = reloading.then(reload)
  })
  // only now: whoever reads this line may send signals
  stdout.write(`${JSON.stringify(listening)}\n`)
  await stopped
}
