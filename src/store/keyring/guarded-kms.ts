import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Kms } from './kms.ts'

const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 30_000
/** For so long the others are refused while one probes: longer than any call to KMS takes. */
const PROBE_MS = 10_000
/** An alarm on the line must not clear itself while the fault goes on. */
const TELL_AGAIN_MS = 60_000

export interface GuardedKms extends Kms {
  /** Whether its last answer was none. */
  isFailing(): boolean
  /** Throws the failure where it rests from one, so that nobody waits for what is known to fail. */
  refuseWhileResting(): void
}

export interface GuardedKmsParts {
  clock: Clock
  log: Log
  health: Health
}

/**
 * A KMS that is let alone after a failure, for 1 s at first and 30 s at most; then one call probes, and an answer ends it.
 * Says to `health` and the log that it fails, to the log once a minute at most while it goes on, and that it answers again.
 */
export function guardKms(kms: Kms, { clock, log, health }: GuardedKmsParts): GuardedKms {
  let failure: JetonError | undefined
  let failures = 0
  let restsUntil = 0
  let toldAt: number | undefined

  function tellFailing({ code, reason }: JetonError) {
    const now = clock.now()
    // a clock that was put back must not silence it
    if (toldAt !== undefined && Math.abs(now - toldAt) < TELL_AGAIN_MS) return
    toldAt = now
    log.warn({ event: 'kms_failing', code, reason }, 'KMS cannot be asked')
  }

  function refuseWhileResting() {
    const leftMs = restsUntil - clock.now()
    // a rest longer than any was begun before the clock was put back
    if (!failure || leftMs <= 0 || leftMs > LONGEST_REST_MS) return
    tellFailing(failure)
    const { code, publicMessage, reason = publicMessage } = failure
    throw new JetonError(code, { publicMessage, reason, retryAfterMs: leftMs })
  }

  async function ask<T>(call: () => Promise<T>): Promise<T> {
    refuseWhileResting()
    if (failure) restsUntil = clock.now() + PROBE_MS
    const failuresBefore = failures
    try {
      const answer = await call()
      if (failure) log.info({ event: 'kms_recovered' }, 'KMS answers again')
      failure = undefined
      toldAt = undefined
      failures = 0
      health.report('store', { ok: true, of: 'kms' })
      return answer
    } catch (cause) {
      failure = asJetonError(cause)
      tellFailing(failure)
      // several that were under way at once fail as one
      failures = failuresBefore + 1
      restsUntil = clock.now() + Math.min(FIRST_REST_MS * 2 ** (failures - 1), LONGEST_REST_MS)
      health.report('store', { ok: false, of: 'kms' })
      throw failure
    }
  }

  return {
    generateDataKey: () => ask(() => kms.generateDataKey()),
    decrypt: sealed => ask(() => kms.decrypt(sealed)),
    isFailing: () => failure !== undefined,
    refuseWhileResting,
  }
}
