import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { untilAborted } from '../../lib/until-aborted.ts'
import type { Stopwatch } from '../library/stopwatch.ts'
import type { ByteChannel } from '../wire/byte-channel.ts'
import { SessionError } from './session-error.ts'

export interface Patience {
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  /** How long all reads together may take. */
  maxMs: number
  signal: AbortSignal
}

/**
 * Returns the same channel, whose reads reject with SessionError once they have taken too long: the time that the client takes,
 * and not that of the login. They reject with the signal's reason, too.
 */
export function limitReading(
  channel: ByteChannel,
  { clock, startStopwatch, maxMs, signal }: Patience,
): ByteChannel {
  let leftMs = maxMs
  const timedOut = () =>
    new SessionError(`the client did not say within ${maxMs / 1000} s what it wants`, { failure: 'timeout' })

  return {
    ...channel,
    async read(length) {
      const ageMs = startStopwatch()
      const read = () => untilAborted(channel.read(length), signal)
      try {
        return await withTimeout(read, { clock, timeoutMs: leftMs, timedOut })
      } finally {
        leftMs -= ageMs()
      }
    },
  }
}
