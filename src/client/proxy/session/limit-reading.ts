import type { Clock } from '../../../lib/clock.ts'
import type { Stopwatch } from '../../library/stopwatch.ts'
import type { ByteChannel } from '../../wire/byte-channel.ts'

export interface ReadingLimit {
  clock: Pick<Clock, 'sleep'>
  startStopwatch(): Stopwatch
  /** How long all reads together may take. */
  maxMs: number
  /** Ends the watch. */
  signal: AbortSignal
  /** Called once when reads have taken too long. */
  onTooLong(): void
}

/** How soon it is looked again, at the earliest. */
const MIN_LOOK_MS = 100

/** Returns the same channel, and watches how long its reads take: the time that the client takes, and not that of the login. */
export function limitReading(channel: ByteChannel, limit: ReadingLimit): ByteChannel {
  const { clock, startStopwatch, maxMs, signal, onTooLong } = limit
  let spentMs = 0
  let ageMs: Stopwatch | undefined

  async function watch(): Promise<void> {
    for (;;) {
      const leftMs = maxMs - spentMs - (ageMs?.() ?? 0)
      if (leftMs <= 0) return onTooLong()
      await clock.sleep(Math.max(leftMs, MIN_LOOK_MS), signal)
    }
  }
  watch().catch(() => {})

  return {
    ...channel,
    async read(length) {
      ageMs = startStopwatch()
      try {
        return await channel.read(length)
      } finally {
        spentMs += ageMs()
        ageMs = undefined
      }
    },
  }
}
