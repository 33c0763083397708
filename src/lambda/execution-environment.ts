import { createLifecycleRecords, type LifecycleFacts } from '../audit/lifecycle-record.ts'
import { logHeadHash } from '../audit/log-head-hash.ts'
import type { Config } from '../config/config.ts'
import { loadFrom } from '../config/load.ts'
import { ConfigError, type Problem } from '../config/problems.ts'
import { createReloader } from '../config/reload.ts'
import type { ConfigSource } from '../config/source/source.ts'
import { logWarnings } from '../config/warnings.ts'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { waitAtMost } from '../lib/deadline.ts'
import { memoizeAsync } from '../lib/single-flight.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import { createReadingsLog } from './readings-log.ts'

const MINUTE_MS = 60_000
/** The longest that a request waits for the configuration to be checked, and for the fleet's slots to be read. */
const RELOAD_WAIT_MS = 2000
const RETRY_AFTER_MS = 5000

export interface ExecutionEnvironmentParts extends Omit<LifecycleFacts, 'clock'> {
  /** Called for each attempt to start; throws `ConfigError` for a URL that names no source. */
  openSource(): ConfigSource
  /** What is wrong with the function's environment variables: with any, it cannot start. */
  environmentProblems: readonly Problem[]
  createService(config: Config): Promise<Service>
  clock: Clock
  log: Log
}

/**
 * One process of a function on Lambda: it creates its service once, serves one request after the other, and is frozen in
 * between. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export interface ExecutionEnvironment {
  /**
   * Returns the service for the current request, creating it if there is none. The first request of each minute also does
   * what a server does by timers, which would freeze: it writes what is due in the audit log, reloads a changed configuration
   * and logs its readings. Throws `temporarily_unavailable` if the service cannot be created; the next request tries again.
   */
  getService(): Promise<Service>
}

interface StartedService {
  readonly service: Service
  /** Does what is due once a minute; otherwise resolves at once. */
  maintain(): Promise<void>
}

/** Creates an execution environment; nothing is read or created before `getService` is called. */
export function createExecutionEnvironment({
  openSource,
  environmentProblems,
  createService,
  clock,
  log,
  ...facts
}: ExecutionEnvironmentParts): ExecutionEnvironment {
  async function start(): Promise<StartedService> {
    if (environmentProblems.length > 0) throw new ConfigError(environmentProblems)
    const source = openSource()
    const config = await loadFrom(source, { purpose: 'start', keepsStdout: true })
    logWarnings(config, log)
    warnAboutConfig(config, log)
    const service = await createService(config)
    const { auditLog } = service
    const lifecycle = createLifecycleRecords({ clock, ...facts })
    // written with what the first request leaves: a batch that begins now could freeze before it ends
    auditLog.announce(lifecycle.started(config))
    let current = config
    const reload = createReloader({
      source,
      config,
      log,
      apply(changed) {
        service.reload(changed)
        auditLog.announce(lifecycle.reloaded(current, changed))
        current = changed
      },
      onRefused(refusal) {
        service.noteRefusedReload()
        auditLog.announce(lifecycle.reloadRefused(refusal))
      },
    })
    const readingsLog = createReadingsLog({ service, log, clock })
    let maintainedAt = clock.now()
    return {
      service,
      async maintain() {
        const now = clock.now()
        if (Math.abs(now - maintainedAt) < MINUTE_MS) return
        maintainedAt = now
        auditLog.flushDue()
        logHeadHash(auditLog, { log, event: 'audit_head' })
        await waitAtMost(Promise.all([reload(), readingsLog.refresh()]), { clock, maxMs: RELOAD_WAIT_MS })
        readingsLog.write()
      },
    }
  }

  const startOnce = memoizeAsync(() =>
    start().catch(cause => {
      throw startFailure(cause, log)
    }),
  )

  return {
    async getService() {
      const { service, maintain } = await startOnce()
      await maintain()
      return service
    },
  }
}

/** Warns about settings that suit a server but not Lambda. */
function warnAboutConfig({ store, audit }: Config, log: Log): void {
  if (store.type === 'memory')
    log.warn(
      { event: 'store_not_shared', store: 'memory' },
      "the store is in memory: each execution environment mints its own tokens, and nothing keeps them together under RDS's throttle; set store.type to dynamodb",
    )
  for (const { type } of audit)
    if (type === 'file')
      log.warn(
        { event: 'audit_not_durable', audit: type },
        'an audit sink is a file, which is lost with its execution environment; set its type to dynamodb, or to stdout',
      )
}

function startFailure(cause: unknown, log: Log): JetonError {
  const why = cause instanceof ConfigError ? { problems: cause.problems } : { err: cause }
  log.error(
    { event: 'start_failed', ...why },
    'jeton cannot start, and answers 503 until it can; the next request tries again',
  )
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'jeton cannot start; its operator has to act',
    reason: 'jeton cannot start',
    retryAfterMs: RETRY_AFTER_MS,
    cause,
  })
}
