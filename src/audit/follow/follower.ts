import type { ParsedRecord } from '../parsed-record.ts'

/**
 * Where in an audit file to go on: behind the record with this hash, whose line ends at this offset of the file as it was
 * written, compressed or not. Without a hash, at the first record of this time or later.
 */
export interface FilePosition {
  readonly file: string
  /** In bytes. */
  readonly offset: number
  readonly hash?: string | undefined
  /** Of the record, ISO 8601. */
  readonly time: string
}

/** Where in an audit table to go on: records until this time are read, but for those that arrived too late to be seen. */
export interface TablePosition {
  readonly table: string
  /** Nothing before it is wanted; ISO 8601. */
  readonly since: string
  /** ISO 8601. */
  readonly until: string
  /** Short hashes of the records that were delivered, as far back as late ones are looked for. */
  readonly delivered: readonly string[]
}

/** Records that follow a position, oldest first. */
export interface FollowedBatch<Position> {
  readonly records: readonly ParsedRecord[]
  /** Whether there was no more to read for now. */
  readonly isAtEnd: boolean
  /** Returns the position behind the first `count` records; with all of them, behind all that was read. */
  positionAfter(count: number): Position
}

/** Reads a log as it grows. It only reads. After an error it must be closed, and another opened. */
export interface LogFollower<Position> {
  /** Returns what comes next: at most `limit` records, or less than a few MiB of them; none if there are no more for now. */
  next(limit: number): Promise<FollowedBatch<Position>>
  close(): Promise<void>
}

/** What a batch of lines may take together: receivers limit what a request may have. */
export const MAX_BATCH_BYTES = 1024 * 1024

/** What a follower says of a log that is not whole. It goes on. */
export interface FollowEvents {
  /** The record at this place does not continue the one before: some were lost, or it is another chain's. */
  onMissing(gap: { file: string; offset: number; expected: string; found: string }): void
  /** A line that is no record, or whose hash is not that of its text. */
  onUnreadable(line: { file: string; offset: number; problem: string }): void
}
