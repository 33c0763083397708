/** Beyond this, a server's `Date` says that our clock is wrong, not that the reply was slow. */
const TOLERANCE_MS = 2000
/** setTimeout fires at once for anything longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1

export interface Clock {
  /** Corrected milliseconds since the epoch. */
  now(): number
  /** Resolves at or after `ms` on this clock, never before; rejects with the signal's reason when it aborts. */
  sleepUntil(ms: number, signal?: AbortSignal): Promise<void>
  /** Tells the clock what a trusted server's `Date` header said just now; corrects it where they disagree by more than 2 s. */
  observe(serverDate: Date): void
}

export interface SystemClockOptions {
  /** Told of each correction: how far the machine's clock is from the servers', in milliseconds. */
  onCorrected?: (offsetMs: number) => void
}

/**
 * The machine's clock, put right by what AWS says the time is: a token signed by a clock that is minutes off is refused.
 * A `Date` header has a resolution of one second, so nothing under 2 s is corrected.
 */
export function systemClock({ onCorrected }: SystemClockOptions = {}): Clock {
  let offsetMs = 0
  const now = () => Date.now() + offsetMs
  return {
    now,
    async sleepUntil(ms, signal) {
      for (let left = ms - now(); left > 0; left = ms - now())
        await pause(Math.min(left, LONGEST_TIMEOUT_MS), signal)
    },
    observe(serverDate) {
      const error = serverDate.getTime() + 500 - now()
      if (!Number.isFinite(error) || Math.abs(error) <= TOLERANCE_MS) return
      offsetMs += error
      onCorrected?.(offsetMs)
    },
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
