import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'

/** How long after a failure a sink, or a vend, is tried again. */
export const RETRY_MS = 1000

/** Reports to health and the program's log whether one sink takes records. */
export interface SinkStatus {
  isFailing(): boolean
  reportSuccess(): void
  reportFailure(error: unknown): void
  reportHang(): void
}

export interface SinkStatusParts {
  sinkName: string
  clock: Clock
  health: Health
  log: Log
}

/**
 * Returns the status of one sink, not failing at first. Logs the first failure, then one each minute while the sink keeps
 * failing: an alarm on the line must not clear itself before the fault is over. A hang counts as a failure.
 */
export function createSinkStatus({ sinkName, clock, health, log }: SinkStatusParts): SinkStatus {
  const throttle = createLogThrottle()
  let isFailing = false

  function reportFailing(logLine: () => void): void {
    if (!throttle.admit(clock.now())) return
    isFailing = true
    health.report('log', { ok: false, of: sinkName })
    logLine()
  }

  return {
    isFailing: () => isFailing,
    reportSuccess() {
      if (!isFailing) return
      isFailing = false
      throttle.reset()
      health.report('log', { ok: true, of: sinkName })
      log.info({ event: 'audit_recovered', sink: sinkName }, 'the audit sink takes records again')
    },
    reportFailure(error) {
      const fields = { event: 'audit_failing', sink: sinkName, err: error } as const
      reportFailing(() => log.error(fields, `the audit sink fails: ${NO_TOKEN}`))
    },
    reportHang() {
      const fields = { event: 'audit_hanging', sink: sinkName } as const
      reportFailing(() => log.error(fields, `the audit sink hangs: ${NO_TOKEN}`))
    },
  }
}

const NO_TOKEN = 'no token is vended until it takes records again'

/** Returns the error for a vend whose record cannot be written. `reason` names the sink to operators, never to callers. */
export function auditUnavailable(reason: string, cause?: unknown): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the audit log cannot be written',
    reason,
    retryAfterMs: RETRY_MS,
    cause,
  })
}
