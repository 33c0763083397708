import { vi } from 'vitest'

/** The clock of this process, which a test puts forward; what takes time still takes its time. */
export interface ShiftedClock {
  now(): number
  advance(ms: number): void
  restore(): void
}

/** Shifts `Date.now` of this process, and so that of everything in it: a server, stand-ins and clients. */
export function shiftClock(): ShiftedClock {
  const realNow = Date.now
  let aheadMs = 0
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + aheadMs)
  return {
    now: () => Date.now(),
    advance(ms) {
      aheadMs += ms
    },
    restore: () => spy.mockRestore(),
  }
}
