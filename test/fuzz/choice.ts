import { type Random, seededRandom } from '../simulation/random.ts'

/** Random decisions, the same in every run for one name. */
export interface Choice {
  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number
  /** True in this share of cases, from 0 to 1. */
  chance(share: number): boolean
  oneOf<T>(items: readonly T[]): T
}

export function createChoice(name: string): Choice {
  const random: Random = seededRandom(name)
  const integer = (low: number, high: number) => low + Math.floor(random.next() * (high - low + 1))
  return {
    integer,
    chance: share => random.next() < share,
    oneOf: items => items[integer(0, items.length - 1)] as (typeof items)[number],
  }
}
