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
