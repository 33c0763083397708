import type { ParsedRecord } from './parsed-record.ts'

/** Which of two comes first. */
export type RecordOrder = (a: ParsedRecord, b: ParsedRecord) => number

export const oldestFirst: RecordOrder = (a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0)
export const newestFirst: RecordOrder = (a, b) => oldestFirst(b, a)

/**
 * Puts several sequences, each in the order that `comes` says, into one in that order. Holds one of each at a time; where
 * one is not quite in order, its own order stays.
 */
export async function* mergeOrdered(
  sequences: readonly AsyncIterable<ParsedRecord>[],
  comes: RecordOrder,
): AsyncGenerator<ParsedRecord> {
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

async function nextOf(iterator: AsyncIterator<ParsedRecord>): Promise<ParsedRecord | undefined> {
  const { done, value } = await iterator.next()
  return done ? undefined : value
}

/** Where several come at once, the first of them; -1 where none is left. */
function indexOfFirst(heads: readonly (ParsedRecord | undefined)[], comes: RecordOrder): number {
  let first = -1
  for (const [index, head] of heads.entries()) {
    const best = heads[first]
    if (head && (!best || comes(head, best) < 0)) first = index
  }
  return first
}

/** The newest `limit` of a sequence in whatever order, newest first. Holds twice as many at most. */
export async function newestOf(
  sequence: AsyncIterable<ParsedRecord>,
  limit: number,
): Promise<ParsedRecord[]> {
  let kept: ParsedRecord[] = []
  for await (const found of sequence) {
    kept.push(found)
    if (kept.length >= 2 * limit) kept = kept.sort(newestFirst).slice(0, limit)
  }
  return kept.sort(newestFirst).slice(0, limit)
}

/** The first `limit` of a sequence; asks for no more of it. */
export async function* firstOf(
  sequence: AsyncIterable<ParsedRecord>,
  limit: number,
): AsyncGenerator<ParsedRecord> {
  let left = limit
  if (left > 0)
    for await (const found of sequence) {
      yield found
      if (--left === 0) return
    }
}
