import type { Clock } from './clock.ts'

export interface SecondCallOptions {
  readonly clock: Pick<Clock, 'sleep'>
  /** How long the first call has before the second begins beside it (ms). */
  readonly afterMs: number
  /** Whether a rejection is an answer, which the other call would get too. */
  isAnswer(cause: unknown): boolean
}

/**
 * Returns the first reply to one call, or to a second that begins if the first has neither resolved nor rejected in time. So
 * a request that the network lost costs no more than `afterMs`, and a slow reply still counts. A rejection counts if it is an
 * answer, or if no other call is under way. The signal aborts once there is a result.
 */
export async function withSecondCall<Reply>(
  call: (signal: AbortSignal) => Promise<Reply>,
  { clock, afterMs, isAnswer }: SecondCallOptions,
): Promise<Reply> {
  const ended = new AbortController()
  const { signal } = ended
  let hasSecond = false
  const first = call(signal)
  const second = clock.sleep(afterMs, signal).then(() => {
    hasSecond = true
    return call(signal)
  })
  const results = [
    first.catch(cause => {
      if (!hasSecond || isAnswer(cause)) throw cause
      return second
    }),
    second.catch(cause => {
      if (isAnswer(cause)) throw cause
      return first
    }),
  ]
  // the one that loses may reject later, with nobody to tell
  for (const result of results) result.catch(() => {})
  return Promise.race(results).finally(() => ended.abort())
}
