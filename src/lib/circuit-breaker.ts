import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { createLogThrottle } from './log-throttle.ts'
import { remainingMs, type TimeWindow } from './time-window.ts'

export interface CircuitBreakerOptions<Failure> {
  clock: Pick<Clock, 'now'>
  /** How long calls are refused after the first failure, in milliseconds; doubles with each probe that fails. */
  firstBackoffMs: number
  maxBackoffMs: number
  /** How long one probe keeps other calls out, in milliseconds; unless given, until it ends. */
  maxProbeMs?: number
  /** What the result of a call does that began before the breaker last changed; 'ignored' unless given. */
  lateResults?: 'counted' | 'ignored'
  /** Whether a rejection means that the dependency fails. Any other rejection, such as a bug, changes nothing. */
  isFailure(cause: unknown): cause is Failure
  /** Whether a rejection shows that the dependency works. Checked before `isFailure`; none does unless given. */
  isAnswer?(cause: unknown): boolean
  /** Returns the error of a refused call. A call may get through after `retryAfterMs`. */
  refusal(failure: Failure, retryAfterMs: number): Error
  /** Called when the dependency begins to fail. */
  onOpen?(failure: Failure): void
  /**
   * Called when it begins to fail, then at most once a minute by a call that fails or is refused, so that an alarm lasts as
   * long as the fault.
   */
  onFailing?(failure: Failure): void
  /** Called when the dependency answers again. */
  onClose?(outage: { failedForMs: number }): void
}

/** Calls one dependency, or refuses to while it fails. */
export interface CircuitBreaker {
  /** Runs `work` and returns its result; rejects as it does, or with a refusal. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Throws the refusal that `run` would reject with now; does nothing if a call may get through. Starts no probe. */
  throwIfRefusing(): void
  /** Whether the last call that counted failed. */
  isOpen(): boolean
}

interface Outage<Failure> {
  readonly failure: Failure
  /** Consecutive failures; calls that fail together count once. */
  readonly failures: number
  readonly since: number
  readonly backoff: TimeWindow
  /** The call that was let through to find out whether the dependency answers again. */
  probe?: { readonly since: number } | undefined
}

/**
 * Refuses calls to a dependency that fails, for a time that grows with each probe that fails. Then one call at a time
 * probes, and an answer closes the breaker. Only calls that began after the breaker last changed count, so several that run
 * at once and fail together count once. A clock that was put back ends a back-off rather than lengthening it.
 *
 *     closed ── call fails ──▶ open: refuse 250 ms ──▶ one probe ── answers ──▶ closed
 *                                    ▲                     └─ fails: refuse 500 ms, 1 s … maxBackoffMs
 */
export function createCircuitBreaker<Failure>(options: CircuitBreakerOptions<Failure>): CircuitBreaker {
  const { clock, firstBackoffMs, maxBackoffMs, maxProbeMs, lateResults = 'ignored' } = options
  const { isFailure, isAnswer, refusal, onOpen, onFailing, onClose } = options
  const throttle = createLogThrottle()
  let outage: Outage<Failure> | undefined
  /** Counts the breaker's changes: when it opens, when a probe fails, when it closes. */
  let generation = 0

  /** Returns 0 if a call may get through. */
  function refusedForMs({ backoff, probe }: Outage<Failure>): number {
    const now = clock.now()
    const leftMs = remainingMs(backoff, now)
    if (leftMs > 0 || !probe) return leftMs
    // it is not known when the probe ends; if it fails, at least this back-off follows
    if (maxProbeMs === undefined) return firstBackoffMs
    return remainingMs({ since: probe.since, forMs: maxProbeMs }, now)
  }

  function throwIfRefusing(): void {
    const leftMs = outage ? refusedForMs(outage) : 0
    if (!outage || leftMs === 0) return
    report(outage.failure)
    throw refusal(outage.failure, leftMs)
  }

  function report(failure: Failure): void {
    if (throttle.admit(clock.now())) onFailing?.(failure)
  }

  function open(failure: Failure, failures: number): void {
    const now = clock.now()
    const forMs = backoffMs(failures - 1, { firstMs: firstBackoffMs, maxMs: maxBackoffMs })
    const isNew = outage === undefined
    outage = { failure, failures, since: outage?.since ?? now, backoff: { since: now, forMs } }
    generation++
    if (isNew) onOpen?.(failure)
    report(failure)
  }

  function close(): void {
    if (!outage) return
    const failedForMs = clock.now() - outage.since
    outage = undefined
    throttle.reset()
    generation++
    onClose?.({ failedForMs })
  }

  async function run<T>(work: () => Promise<T>): Promise<T> {
    throwIfRefusing()
    const failuresBefore = outage?.failures ?? 0
    const generationBefore = generation
    const isCounted = () => lateResults === 'counted' || generation === generationBefore
    const probe = outage && { since: clock.now() }
    if (outage) outage.probe = probe
    try {
      const answer = await work()
      if (isCounted()) close()
      return answer
    } catch (cause) {
      if (!isCounted()) throw cause
      if (isAnswer?.(cause)) close()
      else if (isFailure(cause)) open(cause, failuresBefore + 1)
      throw cause
    } finally {
      if (outage && outage.probe === probe) outage.probe = undefined
    }
  }

  return { run, throwIfRefusing, isOpen: () => outage !== undefined }
}
