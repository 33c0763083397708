import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { createLogThrottle } from './log-throttle.ts'
import { remainingMs, type TimeWindow } from './time-window.ts'

export interface CircuitBreakerOptions<Failure> {
  clock: Pick<Clock, 'now'>
  /** How long calls are refused after the first failure, in milliseconds; doubles with each probe that fails. */
  firstBackoffMs: number
  maxBackoffMs: number
  /** How long one probe keeps the other calls out, in milliseconds; until it ends unless given. */
  maxProbeMs?: number
  /** Whether a call counts even when another decided the breaker's state after it began; false unless given. */
  countsLateResults?: boolean
  /** Whether a rejection means that the dependency fails. Any other, such as a bug, changes nothing. */
  isFailure(cause: unknown): cause is Failure
  /** Whether a rejection is the answer of a dependency that is well; asked first. No rejection is unless given. */
  isAnswer?(cause: unknown): boolean
  /** Makes the error of a refused call. `retryAfterMs` is when a call may get through. */
  refusal(failure: Failure, retryAfterMs: number): Error
  /** Called when the dependency begins to fail. */
  onOpen?(failure: Failure): void
  /**
   * Called then too, and again after each minute, by the next call that fails or is refused: an alarm on the line that it
   * logs must not clear itself while the fault goes on.
   */
  onFailing?(failure: Failure): void
  /** Called when the dependency answers again. */
  onClose?(outage: { failedForMs: number }): void
}

export interface CircuitBreaker {
  /** Runs `work` and returns what it gives; rejects with what it rejects with, or with the refusal of a call it does not run. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Throws the refusal that `run` would reject with now. Starts no probe. */
  throwIfRefusing(): void
  /** Whether the last call that counted failed. */
  isOpen(): boolean
}

interface Outage<Failure> {
  readonly failure: Failure
  /** In a row, those of calls that failed together counted once. */
  readonly failures: number
  readonly since: number
  readonly backoff: TimeWindow
  /** The call that was let through to find out whether the dependency answers again. */
  probe?: { readonly since: number } | undefined
}

/**
 * Refuses calls to a dependency that fails, for a time that grows with each probe that fails. Then one call at a time
 * probes, and an answer closes the breaker. Only calls that began after the last verdict count, so several that are under
 * way and fail together count once. A clock that was put back ends a back-off rather than lengthening it.
 *
 *     closed ── call fails ──▶ open: refuse 250 ms ──▶ one probe ── answers ──▶ closed
 *                                    ▲                     └─ fails: refuse 500 ms, 1 s … maxBackoffMs
 */
export function createCircuitBreaker<Failure>(options: CircuitBreakerOptions<Failure>): CircuitBreaker {
  const { clock, firstBackoffMs, maxBackoffMs, maxProbeMs, countsLateResults = false } = options
  const { isFailure, isAnswer, refusal, onOpen, onFailing, onClose } = options
  const throttle = createLogThrottle()
  let outage: Outage<Failure> | undefined
  /** Goes up with each verdict: when the breaker opens, when a probe fails, when it closes. */
  let generation = 0

  /** 0 when a call may go through. */
  function refusedForMs({ backoff, probe }: Outage<Failure>): number {
    const now = clock.now()
    const leftMs = remainingMs(backoff, now)
    if (leftMs > 0 || !probe) return leftMs
    // when it ends is not known, but its failure would be followed by some back-off
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
    const begunIn = generation
    const counts = () => countsLateResults || generation === begunIn
    const probe = outage && { since: clock.now() }
    if (outage) outage.probe = probe
    try {
      const answer = await work()
      if (counts()) close()
      return answer
    } catch (cause) {
      if (!counts()) throw cause
      if (isAnswer?.(cause)) close()
      else if (isFailure(cause)) open(cause, failuresBefore + 1)
      throw cause
    } finally {
      if (outage && outage.probe === probe) outage.probe = undefined
    }
  }

  return { run, throwIfRefusing, isOpen: () => outage !== undefined }
}
