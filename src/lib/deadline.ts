import type { Clock } from './clock.ts'

export interface Timeout {
  clock: Pick<Clock, 'sleep'>
  timeoutMs: number
  /** Returns the error of work that took too long. */
  timedOut(): Error
}

/**
 * Returns what `work` resolves with, or rejects with `timedOut` if that takes longer than `timeoutMs`. The signal
 * aborts after either, so that work can end once no caller waits for it.
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { clock, timeoutMs, timedOut }: Timeout,
): Promise<T> {
  const done = new AbortController()
  try {
    const result = work(done.signal)
    const timeout = clock.sleep(timeoutMs, done.signal).then(() => {
      throw timedOut()
    })
    return await Promise.race([result, timeout])
  } finally {
    done.abort()
  }
}

/**
 * Resolves when `work` does, or after `maxMs`: the work then continues in the background. Rejects if `work`
 * rejects in time.
 */
export async function waitAtMost(
  work: Promise<unknown>,
  { clock, maxMs }: { clock: Pick<Clock, 'sleep'>; maxMs: number },
): Promise<void> {
  const done = new AbortController()
  const timeout = clock.sleep(maxMs, done.signal).catch(() => {})
  await Promise.race([work, timeout]).finally(() => done.abort())
}

/**
 * Returns what `call` resolves with; rejects with `TimeoutError` after `deadlineMs` of the machine's own time, which no
 * correction of a clock changes. The signal aborts then, so that the call can end.
 */
export async function withDeadline<Reply>(
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const passed = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true })
  })
  return Promise.race([call(deadline), passed])
}
