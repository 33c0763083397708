import type { Found } from './found.ts'

/** Which of two comes first. */
export type Comes = (a: Found, b: Found) => number

export const oldestFirst: Comes = (a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0)
export const newestFirst: Comes = (a, b) => oldestFirst(b, a)

/**
 * Puts several sequences, each in the order that `comes` says, into one in that order. Holds one of each at a time; where
 * one is not quite in order, its own order stays.
 */
export async function* merged(
  sequences: readonly AsyncIterable<Found>[],
  comes: Comes,
): AsyncGenerator<Found> {
  const iterators = sequences.map(sequence => sequence[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map(nextOf))
    for (;;) {
      const first = indexOfFirst(heads, comes)
      const [head, iterator] = [heads[first], iterators[first]]
      if (!head || !iterator) return
      yield head
      heads[first] = await nextOf(iterator)
    }
  } finally {
    await Promise.all(iterators.map(iterator => iterator.return?.()))
  }
}

async function nextOf(iterator: AsyncIterator<Found>): Promise<Found | undefined> {
  const { done, value } = await iterator.next()
  return done ? undefined : value
}

/** Where several come at once, the first of them; -1 where none is left. */
function indexOfFirst(heads: readonly (Found | undefined)[], comes: Comes): number {
  let first = -1
  for (const [index, head] of heads.entries()) {
    const best = heads[first]
    if (head && (!best || comes(head, best) < 0)) first = index
  }
  return first
}

/** The newest `limit` of a sequence in whatever order, newest first. Holds twice as many at most. */
export async function newestOf(sequence: AsyncIterable<Found>, limit: number): Promise<Found[]> {
  let kept: Found[] = []
  for await (const found of sequence) {
    kept.push(found)
    if (kept.length >= 2 * limit) kept = kept.sort(newestFirst).slice(0, limit)
  }
  return kept.sort(newestFirst).slice(0, limit)
}

/** The first `limit` of a sequence; asks for no more of it. */
export async function* firstOf(sequence: AsyncIterable<Found>, limit: number): AsyncGenerator<Found> {
  let left = limit
  if (left > 0)
    for await (const found of sequence) {
      yield found
      if (--left === 0) return
    }
}
