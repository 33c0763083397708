import { median, withSpread } from './report.ts'

/** How much is measured; what is undefined is as each benchmark has it. */
export interface Plan {
  readonly pairs?: number | undefined
  /** Seconds of load for each measurement. */
  readonly seconds?: number | undefined
  /** Seconds of load before the first measurement. */
  readonly warmUpSeconds?: number | undefined
}

/** What is compared: each measures itself once. */
export interface Sides<T> {
  readonly subject: () => Promise<T>
  /** What the subject is measured by. */
  readonly base: () => Promise<T>
}

export interface Pair<T> {
  readonly subject: T
  readonly base: T
}

/**
 * Measures two things in turns, each pair in the other order than the one before, so that a machine that gets slower does so for
 * both. Calls `onPair` after each pair.
 */
export async function measurePairs<T>(
  { subject, base }: Sides<T>,
  { pairs, onPair }: { pairs: number; onPair?: (pair: Pair<T>, number: number) => void },
): Promise<Pair<T>[]> {
  const measured: Pair<T>[] = []
  for (let number = 1; number <= pairs; number++) {
    let pair: Pair<T>
    if (number % 2) {
      const first = await base()
      pair = { base: first, subject: await subject() }
    } else {
      const first = await subject()
      pair = { subject: first, base: await base() }
    }
    measured.push(pair)
    onPair?.(pair, number)
  }
  return measured
}

/** Medians of pairs. */
export interface Comparison {
  /** The subject as a multiple of the base, of each pair. */
  readonly ratio: number
  /** The same, with its spread. */
  readonly shown: string
  readonly subject: number
  readonly base: number
}

/** Compares two numbers by pairs, after one pair that does not count. */
export async function compareByPairs(
  sides: Sides<number>,
  options: Parameters<typeof measurePairs<number>>[1],
): Promise<Comparison> {
  await measurePairs(sides, { pairs: 1 })
  const measured = await measurePairs(sides, options)
  const ratios = measured.map(({ subject, base }) => subject / base)
  return {
    ratio: median(ratios),
    shown: `${withSpread(ratios)} ×`,
    subject: median(measured.map(({ subject }) => subject)),
    base: median(measured.map(({ base }) => base)),
  }
}
