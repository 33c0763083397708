/** ISO 8601 in UTC, to the millisecond; remembers the last, for at 20,000 requests a second most share theirs. */
export function isoMilliseconds(): (ms: number) => string {
  let last = Number.NaN
  let text = ''
  return ms => {
    if (ms !== last) {
      last = ms
      text = new Date(ms).toISOString()
    }
    return text
  }
}

/** ISO 8601 in UTC, to the second and never later than `ms`: what ends with it must not seem to last longer. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
