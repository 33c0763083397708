import { middleMs, type Offset, offsetAfter, TOLERANCE_MS } from './clock-offset.ts'

/** The longest sleep before the machine's clock is read again: it may be put forward or stand still meanwhile. */
const MAX_PAUSE_MS = 1000

/** The time for all parts; tests replace it. */
export interface Clock {
  /** Returns the corrected time, in milliseconds since the epoch. */
  now(): number
  /** Resolves at or after `ms` on this clock, never before; rejects with the signal's reason when it aborts. */
  sleepUntil(ms: number, signal?: AbortSignal): Promise<void>
  /** Resolves when `ms` have passed, however this clock is set meanwhile; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /**
   * Call when sending a request to a trusted server; pass the reply's `Date` to the function it returns. That corrects the
   * clock if the two certainly disagree by more than 2 s.
   */
  observe(): (serverDate: Date) => void
}

export interface SystemClockOptions {
  /**
   * Called at each correction that differs by more than 2 s from the last one reported, with how far the machine's clock is
   * behind the servers', in milliseconds; 0 once it is right again.
   */
  onCorrected?: (offsetMs: number) => void
}

/**
 * Returns the machine's clock, corrected by the time that AWS's replies carry: AWS refuses a token that a clock signed
 * minutes off. Less than 2 s is left alone. A correction narrows with each reply, to about a tenth of a second. Without
 * replies nothing is corrected.
 */
export function systemClock({ onCorrected }: SystemClockOptions = {}): Clock {
  let offset: Offset | undefined
  let offsetMs = 0
  let reportedMs = 0
  const wakers = new Set<() => void>()
  const now = () => Date.now() + offsetMs

  function correct(correctedMs: number) {
    const isAhead = correctedMs > offsetMs
    offsetMs = correctedMs
    if (isAhead) for (const wake of [...wakers]) wake()
    const isWorthReporting = Math.abs(offsetMs - reportedMs) > TOLERANCE_MS || offsetMs === 0
    if (offsetMs === reportedMs || !isWorthReporting) return
    reportedMs = offsetMs
    onCorrected?.(offsetMs)
  }

  return {
    now,
    async sleepUntil(ms, signal) {
      for (let leftMs = ms - now(); leftMs > 0; leftMs = ms - now())
        await pause(Math.min(leftMs, MAX_PAUSE_MS), { signal, wakers })
    },
    sleep: pauseFor,
    observe() {
      const requestedAt = Date.now()
      return serverDate => {
        offset = offsetAfter(offset, { date: serverDate.getTime(), requestedAt, receivedAt: Date.now() })
        correct(middleMs(offset))
      }
    },
  }
}

/** Returns a clock of the time that passes, which nobody sets: for how long something takes. Its times are not dates. */
export function monotonicClock(): Clock {
  const now = () => performance.now()
  return {
    now,
    sleepUntil: (ms, signal) => pauseFor(ms - now(), signal),
    sleep: pauseFor,
    observe: () => () => {},
  }
}

async function pauseFor(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, { signal, wakers: new Set() })
}

/** Resolves after `ms`, or as soon as the function that it adds to `wakers` is called. */
function pause(
  ms: number,
  { signal, wakers }: { signal: AbortSignal | undefined; wakers: Set<() => void> },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      wakers.delete(wake)
      signal?.removeEventListener('abort', abort)
    }
    const wake = () => {
      end()
      resolve()
    }
    const abort = () => {
      end()
      reject(signal?.reason)
    }
    const timer = setTimeout(wake, ms)
    if (signal?.aborted) return abort()
    wakers.add(wake)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
