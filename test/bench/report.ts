/** Prints a line on stdout. */
export const say = (line = '') => process.stdout.write(`${line}\n`)

/** Returns the middle value, of an even number the higher of the two; NaN if there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Returns the median with the least and the greatest value: `1.58 (1.49 to 1.71)`. */
export function withSpread(values: readonly number[], digits = 2): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map(value =>
    value.toFixed(digits),
  )
  return `${middle} (${least} to ${most})`
}

/** Prints whether a figure keeps its promise, and makes the process fail if it does not. */
export function reportCheck(what: string, { isKept, figure }: { isKept: boolean; figure: string }): void {
  say(`${isKept ? 'kept  ' : 'BROKEN'}  ${what}: ${figure}`)
  if (!isKept) process.exitCode = 1
}

/** Prints a figure that promises nothing. */
export function reportFigure(what: string, figure: string): void {
  say(`        ${what}: ${figure}`)
}
