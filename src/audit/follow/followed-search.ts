import type { ParsedRecord } from '../parsed-record.ts'
import type { AuditQuery, AuditSource } from '../query.ts'

/** A log that is searched, and then followed from there: each record is found once, by one of both. */
export interface FollowedSearch {
  /** What was recorded before the log was opened. To be read before `readNew` is called. */
  readonly source: AuditSource
  /** How long to wait between two calls of `readNew`. */
  readonly pollMs: number
  /** Yields what matches of what was recorded since; if that is much, the rest comes with the next call. */
  readNew(query: AuditQuery): AsyncIterable<readonly ParsedRecord[]>
  close(): Promise<void>
}
