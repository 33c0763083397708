import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { StoreCall } from '../telemetry/metrics.ts'
import type { Store } from './store.ts'
import { isUnreadableRecord } from './unreadable-record.ts'

const FIRST_REST_MS = 250
const LONGEST_REST_MS = 5000
/** An alarm on the line must not clear itself while the fault goes on. */
const TELL_AGAIN_MS = 60_000

export interface GuardedStoreParts {
  clock: Clock
  health: Health
  log: Log
  onCalled?: (call: StoreCall) => void
}

/** A store that fails: since when, and until when it is left alone. */
interface Failing {
  readonly failure: JetonError
  readonly since: number
  readonly restMs: number
  readonly until: number
}

/**
 * The wall between a failing store and everybody. Once a call has failed with `temporarily_unavailable`, calls reject at once
 * with that same error, for 250 ms at first and up to 5 s as failures go on; then one call probes, and its success opens the
 * wall again. Calls that were under way when it closed end as they end and move nothing: only the probe tells how the store
 * is now. A conflict and an unreadable record are answers of a store that is well.
 */
export function guardStore(inner: Store, { clock, health, log, onCalled }: GuardedStoreParts): Store {
  let failing: Failing | undefined
  let probing = false
  let toldAt: number | undefined
  /** Tells calls that began before the wall last closed or opened from those that came after. */
  let era = 0

  async function through<Answer>(call: StoreCall['call'], ask: () => Promise<Answer>): Promise<Answer> {
    const refusal = refused()
    if (refusal) throw refusal
    const startedAt = clock.now()
    const mine = era
    const probes = failing !== undefined
    if (probes) probing = true
    const told = (outcome: StoreCall['outcome']) =>
      // a clock corrected meanwhile may have gone back
      onCalled?.({ call, outcome, durationMs: Math.max(0, clock.now() - startedAt) })
    try {
      const answer = await ask()
      told(answer === 'conflict' ? 'conflict' : 'ok')
      if (mine === era) answered()
      return answer
    } catch (cause) {
      const well = isUnreadableRecord(cause)
      told(well ? 'ok' : 'failed')
      if (mine === era) {
        if (well) answered()
        else if (cause instanceof JetonError && cause.code === 'temporarily_unavailable') failedWith(cause)
      }
      throw cause
    } finally {
      if (probes) probing = false
    }
  }

  function refused(): JetonError | undefined {
    if (!failing) return undefined
    const { failure, until, restMs } = failing
    const leftMs = until - clock.now()
    // a clock that was corrected backwards must not make the rest longer
    const rests = leftMs > 0 && leftMs <= restMs
    if (!rests && !probing) return undefined
    tellFailing(failure)
    const { code, publicMessage, message: reason, cause } = failure
    const retryAfterMs = rests ? leftMs : FIRST_REST_MS
    return new JetonError(code, { publicMessage, reason, cause, retryAfterMs })
  }

  function failedWith(failure: JetonError) {
    const now = clock.now()
    const restMs = failing ? Math.min(failing.restMs * 2, LONGEST_REST_MS) : FIRST_REST_MS
    if (!failing) health.report('store', { ok: false })
    tellFailing(failure)
    failing = { failure, since: failing?.since ?? now, restMs, until: now + restMs }
    era++
  }

  function tellFailing({ reason }: JetonError) {
    const now = clock.now()
    // a clock that was put back must not silence it
    if (toldAt !== undefined && Math.abs(now - toldAt) < TELL_AGAIN_MS) return
    toldAt = now
    log.warn(
      { event: 'store_failing', reason },
      'the store fails; it is left alone and probed until it answers again',
    )
  }

  function answered() {
    if (!failing) return
    health.report('store', { ok: true })
    log.info(
      { event: 'store_recovered', failedForMs: clock.now() - failing.since },
      'the store answers again',
    )
    failing = undefined
    toldAt = undefined
    era++
  }

  return {
    read: key => through('read', () => inner.read(key)),
    compareAndSwap: change => through('swap', () => inner.compareAndSwap(change)),
  }
}
