/** Chance that comes out the same in every run. */
export interface Random {
  /** From 0 up to, but not including, 1: what `Math.random` gives. */
  next(): number
  /** Evenly between two numbers. */
  between(low: number, high: number): number
  /** What lies between two events that happen by chance, on average `mean` apart. */
  exponential(mean: number): number
}

/**
 * A stream of chance of its own for each `name`, so that what one part draws does not change what another does: every
 * contender meets the same load. Mulberry32, started by FNV-1a of the name; good enough for latencies, not for secrets.
 */
export function seeded(name: string): Random {
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
