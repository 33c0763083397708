export const say = (line = '') => process.stdout.write(`${line}\n`)

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Says whether a figure keeps its promise, and makes the run fail where it does not. */
export function judged(what: string, { isKept, figure }: { isKept: boolean; figure: string }): void {
  say(`${isKept ? 'kept  ' : 'BROKEN'}  ${what}: ${figure}`)
  if (!isKept) process.exitCode = 1
}
