import { LRUCache } from 'lru-cache'
import { groupBy } from '../../lib/maps.ts'
import type { SlotOwner } from './slot-owner.ts'

/** The most grants and principals whose last slot is remembered. */
const MAX_OWNERS = 10_000

/** What decides about the place of a waiter. */
export interface Ranked {
  readonly owner: SlotOwner
  readonly hasPriority: boolean
  readonly isReplacement?: boolean | undefined
}

/** The order in which those who wait get slots. */
export interface FairOrder {
  /**
   * Returns the waiters, given by arrival, in the order of their slots: one of each grant after the other, the grant first
   * that has waited longest since its last slot; within a grant those with priority first, and else one of each principal
   * after the other. Tokens that replace refused ones come after all others.
   */
  sort<T extends Ranked>(waiters: readonly T[]): T[]
  /** Call for each slot that is given. */
  onServed(owner: SlotOwner): void
}

/** Returns the order for one resource, which remembers who had the last slots. */
export function createFairOrder(): FairOrder {
  /** A number for each grant, and for each of its principals, that grows with each slot. */
  const lastServed = new LRUCache<string, number>({ max: MAX_OWNERS })
  let served = 0

  const nameOf = ({ grant, principal }: SlotOwner) => `${grant}/${principal}`

  /** Returns the waiters by group, the group first that had its last slot before the others. */
  function groupsOf<T>(waiters: readonly T[], nameOfGroup: (waiter: T) => string): T[][] {
    const rank = (name: string) => lastServed.peek(name) ?? 0
    const groups = [...groupBy(waiters, nameOfGroup)].sort(([a], [b]) => rank(a) - rank(b))
    return groups.map(([, group]) => group)
  }

  function sortGrant<T extends Ranked>(waiters: readonly T[]): T[] {
    const [first, others] = partition(waiters, ({ hasPriority }) => hasPriority)
    return [first, others].flatMap(some => interleave(groupsOf(some, ({ owner }) => nameOf(owner))))
  }

  return {
    sort<T extends Ranked>(waiters: readonly T[]) {
      if (waiters.length < 2) return [...waiters]
      const [last, others] = partition(waiters, ({ isReplacement = false }) => isReplacement)
      return [others, last].flatMap(some =>
        interleave(groupsOf(some, ({ owner }) => owner.grant).map(sortGrant<T>)),
      )
    },
    onServed(owner) {
      served++
      lastServed.set(owner.grant, served)
      lastServed.set(nameOf(owner), served)
    },
  }
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter(value => !isFirst(value))]
}

/** Returns the first of each list, then the second of each, and so on. */
function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => lists.flatMap(list => list.slice(i, i + 1))).flat()
}
