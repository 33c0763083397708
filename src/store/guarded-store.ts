import { JetonError } from '../errors.ts'
import { createCircuitBreaker } from '../lib/circuit-breaker.ts'
import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { StoreCall } from '../telemetry/metrics.ts'
import { UnreadableRecord } from './record-format.ts'
import type { Store } from './store.ts'

const FIRST_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 5000

export interface GuardedStoreParts {
  clock: Clock
  health: Health
  log: Log
  onCalled?: (call: StoreCall) => void
}

/**
 * Returns a store behind a circuit breaker: once a call has failed with `temporarily_unavailable`, calls are refused with
 * that same error, for 250 ms at first and for 5 s at most, then one call probes. A conflict and an `UnreadableRecord` show
 * that the store works; a bug changes nothing. `onCalled` is called for each call that is not refused.
 */
export function guardStore(inner: Store, { clock, health, log, onCalled }: GuardedStoreParts): Store {
  const breaker = createCircuitBreaker<JetonError>({
    clock,
    firstBackoffMs: FIRST_BACKOFF_MS,
    maxBackoffMs: MAX_BACKOFF_MS,
    isAnswer: cause => cause instanceof UnreadableRecord,
    isFailure: (cause): cause is JetonError =>
      cause instanceof JetonError && cause.code === 'temporarily_unavailable',
    refusal: ({ code, publicMessage, message: reason, cause }, retryAfterMs) =>
      new JetonError(code, { publicMessage, reason, cause, retryAfterMs }),
    onOpen: () => health.report('store', { ok: false }),
    onFailing: ({ reason }) =>
      log.warn(
        { event: 'store_failing', reason },
        'the store fails: calls to it are refused, and one at a time probes until it answers again',
      ),
    onClose({ failedForMs }) {
      health.report('store', { ok: true })
      log.info({ event: 'store_recovered', failedForMs }, 'the store answers again')
    },
  })

  function guarded<Answer>(call: StoreCall['call'], work: () => Promise<Answer>): Promise<Answer> {
    return breaker.run(async () => {
      const startedAt = clock.now()
      const report = (outcome: StoreCall['outcome']) =>
        // a correction may have put the clock back meanwhile
        onCalled?.({ call, outcome, durationMs: Math.max(0, clock.now() - startedAt) })
      try {
        const answer = await work()
        report(answer === 'conflict' ? 'conflict' : 'ok')
        return answer
      } catch (cause) {
        report(cause instanceof UnreadableRecord ? 'ok' : 'failed')
        throw cause
      }
    })
  }

  return {
    read: key => guarded('read', () => inner.read(key)),
    compareAndSwap: write => guarded('swap', () => inner.compareAndSwap(write)),
  }
}
