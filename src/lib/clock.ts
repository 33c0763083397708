import { middleMs, type Offset, offsetAfter, TOLERANCE_MS } from './clock-offset.ts'

/** How long to sleep before looking at the machine's clock again: it may be put forward, or stand still, meanwhile. */
const LONGEST_PAUSE_MS = 1000

export interface Clock {
  /** Corrected milliseconds since the epoch. */
  now(): number
  /** Resolves at or after `ms` on this clock, never before; rejects with the signal's reason when it aborts. */
  sleepUntil(ms: number, signal?: AbortSignal): Promise<void>
  /**
   * To be called when a trusted server is sent a request; what it gives is to be told the `Date` of the reply, once it is
   * there. The clock is corrected where the two certainly disagree by more than 2 s.
   */
  observe(): (serverDate: Date) => void
}

export interface SystemClockOptions {
  /**
   * Told of each correction by more than 2 s: how far the machine's clock is behind the servers', in milliseconds; 0 when
   * it is right again.
   */
  onCorrected?: (offsetMs: number) => void
}

/**
 * The machine's clock, put right by what AWS says the time is: a token signed by a clock that is minutes off is refused.
 * A clock that is less than 2 s off is left alone; one that was corrected gets nearer the truth with each reply, to about
 * a tenth of a second. Where no server is asked, nothing is corrected.
 */
export function systemClock({ onCorrected }: SystemClockOptions = {}): Clock {
  let offset: Offset | undefined
  let offsetMs = 0
  let toldMs = 0
  const sleepers = new Set<() => void>()
  const now = () => Date.now() + offsetMs

  function correct(correctedMs: number) {
    const isAhead = correctedMs > offsetMs
    offsetMs = correctedMs
    if (isAhead) for (const wake of [...sleepers]) wake()
    const isWorthTelling = Math.abs(offsetMs - toldMs) > TOLERANCE_MS || offsetMs === 0
    if (offsetMs === toldMs || !isWorthTelling) return
    toldMs = offsetMs
    onCorrected?.(offsetMs)
  }

  return {
    now,
    async sleepUntil(ms, signal) {
      for (let left = ms - now(); left > 0; left = ms - now())
        await pause(Math.min(left, LONGEST_PAUSE_MS), { signal, sleepers })
    },
    observe() {
      const askedAt = Date.now()
      return serverDate => {
        offset = offsetAfter(offset, { date: serverDate.getTime(), askedAt, receivedAt: Date.now() })
        correct(middleMs(offset))
      }
    },
  }
}

/** Also ends when one calls what it puts among the sleepers. */
function pause(
  ms: number,
  { signal, sleepers }: { signal: AbortSignal | undefined; sleepers: Set<() => void> },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      sleepers.delete(wake)
      signal?.removeEventListener('abort', stop)
    }
    const wake = () => {
      end()
      resolve()
    }
    const stop = () => {
      end()
      reject(signal?.reason)
    }
    const timer = setTimeout(wake, ms)
    if (signal?.aborted) return stop()
    sleepers.add(wake)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
