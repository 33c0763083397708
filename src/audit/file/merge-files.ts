import type { ParsedRecord } from '../parsed-record.ts'
import { oldestFirst } from '../record-order.ts'

/** Records of one file, many at a time. */
export interface RecordBatches {
  /** A sort key that the first of them is not before, as far as is known without reading them. */
  readonly firstKey: string
  open(): AsyncIterator<readonly ParsedRecord[]>
}

interface OpenSequence {
  readonly batches: AsyncIterator<readonly ParsedRecord[]>
  batch: readonly ParsedRecord[]
  next: number
}

/**
 * Merges sequences by time, oldest first, and yields batches. A sequence is opened when its first key is reached, so that of many
 * files that follow each other one is open at a time. One that is not quite sorted keeps its own order.
 */
export async function* mergeFiles(sequences: readonly RecordBatches[]): AsyncGenerator<ParsedRecord[]> {
  const waiting = sequences.toSorted((a, b) =>
    a.firstKey < b.firstKey ? -1 : a.firstKey > b.firstKey ? 1 : 0,
  )
  const open: OpenSequence[] = []
  try {
    for (;;) {
      await openReached(waiting, open)
      const [first, second] = open
      if (!first) return
      yield takeUntil(first, [second && headOf(second)?.sortKey, waiting[0]?.firstKey])
      await refill(first, open)
    }
  } finally {
    await Promise.all(open.map(({ batches }) => batches.return?.()))
  }
}

/** Opens what may have a record before the first of those that are open. */
async function openReached(waiting: RecordBatches[], open: OpenSequence[]): Promise<void> {
  for (;;) {
    const [next] = waiting
    const head = open[0] && headOf(open[0])
    if (!next || (head && head.sortKey < next.firstKey)) return
    waiting.shift()
    const sequence: OpenSequence = { batches: next.open(), batch: [], next: 0 }
    open.unshift(sequence)
    await refill(sequence, open)
  }
}

/** Gets a sequence's next records if it has none left, and puts it in its place among the others, which are sorted by their heads. */
async function refill(sequence: OpenSequence, open: OpenSequence[]): Promise<void> {
  open.splice(open.indexOf(sequence), 1)
  while (sequence.next >= sequence.batch.length) {
    const { done, value } = await sequence.batches.next()
    if (done) return
    sequence.batch = value
    sequence.next = 0
  }
  const head = headOf(sequence)
  const at = open.findIndex(other => {
    const otherHead = headOf(other)
    return head && otherHead && oldestFirst(head, otherHead) <= 0
  })
  open.splice(at < 0 ? open.length : at, 0, sequence)
}

/** Returns a sequence's records up to the first that is after one of the others' keys; at least one. */
function takeUntil(sequence: OpenSequence, others: readonly (string | undefined)[]): ParsedRecord[] {
  const keys = others.filter(key => key !== undefined)
  const { batch, next: start } = sequence
  let end = start + 1
  while (end < batch.length && keys.every(key => (batch[end]?.sortKey ?? '') <= key)) end++
  sequence.next = end
  return batch.slice(start, end)
}

function headOf({ batch, next }: OpenSequence): ParsedRecord | undefined {
  return batch[next]
}
