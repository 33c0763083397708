import type { PendingWrite } from './pending-write.ts'

export interface BatchParts {
  /** Lines of the process itself, which go first. */
  readonly announcements: readonly string[]
  /** The vends whose callers still wait. */
  writes: readonly PendingWrite[]
  readonly refusals: readonly string[]
  readonly startedAt: number
}

/** What a sink writes at once. */
export interface Batch extends BatchParts {
  /** In the order in which they are written. */
  readonly lines: readonly string[]
}

/** Returns a batch of these lines. */
export function createBatch(parts: BatchParts): Batch {
  const { announcements, writes, refusals } = parts
  return { ...parts, lines: [...announcements, ...writes.map(({ line }) => line), ...refusals] }
}
