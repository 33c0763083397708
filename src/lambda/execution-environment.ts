import { logHeadHash } from '../audit/head-hash.ts'
import type { Config } from '../config/config.ts'
import { loadFrom } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import { createReloader } from '../config/reload.ts'
import type { ConfigSource } from '../config/source/source.ts'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { waitAtMost } from '../lib/deadline.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'

const MINUTE_MS = 60_000
/** How long the request that looks whether the configuration has changed waits for that. */
const REFRESH_WAIT_MS = 2000
const COME_BACK_MS = 5000

export interface ExecutionEnvironmentParts {
  source: ConfigSource
  compose(config: Config): Promise<Service>
  clock: Clock
  log: Log
}

/** One process of a function on Lambda: composed once, asked one request after the other, frozen in between. */
export interface ExecutionEnvironment {
  /**
   * The service, as the request now at hand finds it: composed where it is not yet, and once a minute told the time and
   * shown a changed configuration, by the request that comes then. There are no timers, for they would freeze. Throws
   * `temporarily_unavailable` where it cannot be composed: the next request tries again.
   */
  service(): Promise<Service>
}

interface Started {
  readonly service: Service
  /** Resolves when the request may go on. */
  tick(): Promise<void>
}

export function createExecutionEnvironment({
  source,
  compose,
  clock,
  log,
}: ExecutionEnvironmentParts): ExecutionEnvironment {
  let starting: Promise<Started> | undefined

  async function start(): Promise<Started> {
    const config = await loadFrom(source)
    warnOf(config, log)
    const service = await compose(config)
    const { auditLog } = service
    const refresh = createReloader({ source, config, log, apply: changed => service.reload(changed) })
    let tickedAt = clock.now()
    return {
      service,
      async tick() {
        const now = clock.now()
        if (Math.abs(now - tickedAt) < MINUTE_MS) return
        tickedAt = now
        auditLog.flushDue()
        logHeadHash(auditLog, { log, event: 'audit_head' })
        await waitAtMost(REFRESH_WAIT_MS, refresh(), clock)
      },
    }
  }

  function startOnce(): Promise<Started> {
    starting ??= start().catch(cause => {
      starting = undefined
      throw notStarted(cause, log)
    })
    return starting
  }

  return {
    async service() {
      const { service, tick } = await startOnce()
      await tick()
      return service
    },
  }
}

/** What is right for a server and hardly for Lambda. */
function warnOf({ store, audit }: Config, log: Log): void {
  if (store.type === 'memory')
    log.warn(
      { event: 'store_not_shared', store: 'memory' },
      "STORE IN MEMORY: on Lambda each sandbox mints tokens of its own and nothing keeps the fleet under RDS's throttle; give store.type dynamodb",
    )
  for (const { type } of audit)
    if (type === 'file')
      log.warn(
        { event: 'audit_not_durable', audit: type },
        'AUDIT LOG IN A FILE: on Lambda its disk goes with the sandbox; give audit type dynamodb, or stdout',
      )
}

function notStarted(cause: unknown, log: Log): JetonError {
  const why = cause instanceof ConfigError ? { problems: cause.problems } : { err: cause }
  log.error({ event: 'start_failed', ...why }, 'jeton cannot start; the next request tries again')
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'jeton cannot start; its operator has to act',
    reason: 'jeton cannot start',
    retryAfterMs: COME_BACK_MS,
    cause,
  })
}
