/** Random numbers that are the same in every run. */
export interface Random {
  /** From 0 up to, but not including, 1: like `Math.random`. */
  next(): number
  /** Evenly distributed between two numbers. */
  between(low: number, high: number): number
  /** The time between two random events that are `mean` apart on average. */
  exponential(mean: number): number
}

/**
 * Returns the random stream of a `name`. With a stream each, what one part draws does not change what another draws: every
 * strategy meets the same load. Mulberry32, seeded with FNV-1a of the name; good enough for latencies, not for secrets.
 */
export function seededRandom(name: string): Random {
  let state = 0x811c9dc5
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    exponential: mean => -mean * Math.log(1 - next()),
  }
}
