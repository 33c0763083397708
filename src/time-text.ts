/** ISO 8601 in UTC, to the second and never later than `ms`: what ends with it must not seem to last longer. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
