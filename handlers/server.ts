import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { compose, type Service } from '../src/compose.ts'
import type { Config } from '../src/config/config.ts'
import { type Listen, loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { createAdmin } from '../src/http/admin.ts'
import { urlOf } from '../src/http/url.ts'
import type { Log } from '../src/log.ts'
import { eachMinute } from '../src/minutes.ts'
import { createProgramLog } from '../src/program-log.ts'

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
  const log = createProgramLog()
  const config = await loadConfig(configPath, listen)
  const service = await compose(config, { log, stdout, instance: `${hostname()}/${process.pid}` })
  const admin = createAdmin(service.metrics.registry)
  const close = () => Promise.all([service.close(), admin.close()])

  try {
    await service.app.listen({ host: config.server.host, port: config.server.port })
    if (config.server.admin) await admin.listen(config.server.admin)
  } catch (cause) {
    await close()
    throw cause
  }

  const { journal, clock } = service
  const stateHead = (msg: string) => {
    const last = journal.lastHash()
    if (last !== undefined) log.info({ last }, msg)
  }
  const stopMinutes = eachMinute(clock, () => {
    journal.tick()
    stateHead('the audit log so far')
  })
  reloadOnHangup({ config, service, log, load: () => loadConfig(configPath, listen) })
  const stopping = firstSignal('SIGTERM', 'SIGINT')

  // only now: whoever reads this line may send signals
  stdout.write(`${JSON.stringify({ msg: 'listening', ...urlsOf(config, { service, admin }) })}\n`)
  log.info({ signal: await stopping }, 'stopping')
  stopMinutes()
  await close()
  stateHead('the audit log ends')
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

interface Reloading {
  /** What the server was started with. */
  config: Config
  service: Service
  log: Log
  load(): Promise<Config>
}

function reloadOnHangup({ config, service, log, load }: Reloading): void {
  async function reload() {
    try {
      const changed = await load()
      for (const part of whatStays(config, changed))
        log.warn({ part }, 'a change that takes effect at the next start')
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
  let reloading: Promise<void> = Promise.resolve()
  process.on('SIGHUP', () => {
    reloading = reloading.then(reload)
  })
}

/** The parts of a changed configuration that a running server cannot take on. A certificate it can, but not TLS itself. */
function whatStays(old: Config, changed: Config): string[] {
  const fixed = ({ server, store, audit }: Config) => ({
    server: { ...server, tls: server.tls !== undefined },
    store,
    audit,
  })
  const [before, now] = [fixed(old), fixed(changed)]
  // JSON shows no keys, and so no change of one
  return (['server', 'store', 'audit'] as const).filter(part => !isDeepStrictEqual(before[part], now[part]))
}
