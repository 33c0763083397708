import type { ParsedRecord } from './parsed-record.ts'
import type { AuditQuery, AuditSource } from './query.ts'

/** A log that is searched, and then followed from there. */
export interface AuditFollower {
  /** What was recorded before the log was opened. */
  readonly source: AuditSource
  /** How long to wait between two calls of `readNew`. */
  readonly pollMs: number
  /** Yields what matches of all that was recorded since the last call, or else since the log was opened; each record once. */
  readNew(query: AuditQuery): AsyncIterable<readonly ParsedRecord[]>
  close(): Promise<void>
}
