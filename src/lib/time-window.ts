/** A time that begins at `since` and lasts `forMs`; both in milliseconds. */
export interface TimeWindow {
  readonly since: number
  readonly forMs: number
}

/**
 * Returns how much of the window is left at `now`, in milliseconds: 0 if it is over. Also 0 before it begins, which only a
 * clock that was put back can be: that must not make the window longer.
 */
export function remainingMs({ since, forMs }: TimeWindow, now: number): number {
  return now < since ? 0 : Math.max(0, forMs - (now - since))
}
