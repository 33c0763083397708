import { asJetonError, JetonError } from '../../errors.ts'
import { createCircuitBreaker } from '../../lib/circuit-breaker.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Kms } from './kms.ts'

const FIRST_BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 30_000
/** Longer than any call to KMS takes (12 s). */
const MAX_PROBE_MS = 15_000

/** A KMS behind a circuit breaker. */
export interface GuardedKms extends Kms {
  /** Whether its last call that counted failed. */
  isFailing(): boolean
  /** Throws what a call would reject with at once, so that no caller waits for a KMS that is known to fail. */
  throwIfRefusing(): void
}

export interface GuardedKmsParts {
  clock: Clock
  log: Log
  health: Health
}

/**
 * Returns a KMS behind a circuit breaker: after a failure, calls are refused for 1 s at first and for 30 s at most, then one
 * call probes. Every rejection counts as a failure, and so does one of a call that began before the last failure. Reports to
 * `health` and the log when KMS begins to fail and when it answers again, and to the log once a minute while it fails.
 */
export function guardKms(kms: Kms, { clock, log, health }: GuardedKmsParts): GuardedKms {
  const breaker = createCircuitBreaker<JetonError>({
    clock,
    firstBackoffMs: FIRST_BACKOFF_MS,
    maxBackoffMs: MAX_BACKOFF_MS,
    maxProbeMs: MAX_PROBE_MS,
    lateResults: 'counted',
    isFailure: cause => cause instanceof JetonError,
    refusal: ({ code, publicMessage, reason = publicMessage }, retryAfterMs) =>
      new JetonError(code, { publicMessage, reason, retryAfterMs }),
    onOpen: () => health.report('store', { ok: false, of: 'kms' }),
    onFailing: ({ code, reason }) =>
      log.warn(
        { event: 'kms_failing', code, reason },
        'KMS fails: calls to it are refused, and one at a time probes until it answers again',
      ),
    onClose() {
      log.info({ event: 'kms_recovered' }, 'KMS answers again')
      health.report('store', { ok: true, of: 'kms' })
    },
  })

  function guarded<Reply>(call: () => Promise<Reply>): Promise<Reply> {
    return breaker.run(() =>
      call().catch(cause => {
        throw asJetonError(cause)
      }),
    )
  }

  return {
    generateDataKey: boundTo => guarded(() => kms.generateDataKey(boundTo)),
    decrypt: (encryptedKey, boundTo) => guarded(() => kms.decrypt(encryptedKey, boundTo)),
    isFailing: breaker.isOpen,
    throwIfRefusing: breaker.throwIfRefusing,
  }
}
