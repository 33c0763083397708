import type { ParsedRecord } from './parsed-record.ts'

/** A comparator for `Array.sort`. */
export type RecordOrder = (a: ParsedRecord, b: ParsedRecord) => number

export const oldestFirst: RecordOrder = (a, b) => (a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0)
export const newestFirst: RecordOrder = (a, b) => oldestFirst(b, a)

/**
 * Merges several sequences, each sorted by `order`, into one sorted by it. One record of each is in memory at a time. A
 * sequence that is not quite sorted keeps its own order.
 */
export async function* mergeOrdered(
  sequences: readonly AsyncIterable<ParsedRecord>[],
  order: RecordOrder,
): AsyncGenerator<ParsedRecord> {
  const iterators = sequences.map(sequence => sequence[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map(nextOf))
    for (;;) {
      const first = indexOfFirst(heads, order)
      const [head, iterator] = [heads[first], iterators[first]]
      if (!head || !iterator) return
      yield head
      heads[first] = await nextOf(iterator)
    }
  } finally {
    await Promise.all(iterators.map(iterator => iterator.return?.()))
  }
}

async function nextOf(iterator: AsyncIterator<ParsedRecord>): Promise<ParsedRecord | undefined> {
  const { done, value } = await iterator.next()
  return done ? undefined : value
}

/** Returns -1 if no head is left; of equal ones the earliest sequence's. */
function indexOfFirst(heads: readonly (ParsedRecord | undefined)[], order: RecordOrder): number {
  let first = -1
  for (const [index, head] of heads.entries()) {
    const best = heads[first]
    if (head && (!best || order(head, best) < 0)) first = index
  }
  return first
}

/** Collects the newest records of many, in any order. */
export interface NewestRecords {
  add(record: ParsedRecord): void
  /** A sort key: a record before it is not among the newest any more. Empty as long as there are few. */
  earliestKey(): string
  /** Newest first. */
  all(): ParsedRecord[]
}

/** Returns a collection of the newest `limit`. At most twice as many are in memory. */
export function createNewest(limit: number): NewestRecords {
  let newest: ParsedRecord[] = []
  let earliest = ''
  return {
    add(record) {
      newest.push(record)
      if (newest.length < 2 * limit) return
      newest = newest.sort(newestFirst).slice(0, limit)
      earliest = newest.at(-1)?.sortKey ?? ''
    },
    earliestKey: () => earliest,
    all: () => newest.sort(newestFirst).slice(0, limit),
  }
}

/** Yields the first `limit` of a sequence and asks it for no more. */
export async function* firstOf(
  sequence: AsyncIterable<ParsedRecord>,
  limit: number,
): AsyncGenerator<ParsedRecord> {
  let left = limit
  if (left > 0)
    for await (const record of sequence) {
      yield record
      if (--left === 0) return
    }
}
