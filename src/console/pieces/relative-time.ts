const UNITS = [
  ['y', 31_557_600_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** Returns a time from now (ms; negative in the past) as `now`, `12 s ago`, `in 4 min`, `3 h ago`, `in 5 d` or `in 34 y`. */
export function relativeTime(ms: number): string {
  const distance = Math.abs(ms)
  // two at least, but of seconds, so that it is never far off
  const [unit, unitMs] = UNITS.find(([name, each]) => distance >= (name === 's' ? each : 2 * each)) ?? []
  if (unit === undefined) return 'now'
  const text = `${Math.floor(distance / unitMs)} ${unit}`
  return ms < 0 ? `${text} ago` : `in ${text}`
}
