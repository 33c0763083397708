import type { ParsedRecord } from './parsed-record.ts'
import type { RecordsQuery } from './records-query.ts'

/** What pages read the newest records from: cheap enough to be asked again and again beside a server's own work. */
export interface RecentRecords {
  readonly origin: RecordsOrigin
  /**
   * Reads one stretch of the log, the newest first. Rejects with an error for operators if the log cannot be read. A bookmark that
   * is no longer there counts as none.
   */
  read(query: RecordsQuery, options: ReadOptions): Promise<Stretch>
}

/** Where records are read, and so whose they are: a table has those of all instances, all else those of this one. */
export interface RecordsOrigin {
  readonly kind: 'table' | 'file' | 'memory'
  /** As it is named in a sentence: the table's name, the file's path. */
  readonly name: string
}

export interface ReadOptions {
  /** How many matching records are enough. */
  readonly limit: number
  /** Where to begin: `next` of a stretch, or the bookmark of a record, which is then the first. Default: the newest. */
  readonly before?: string | undefined
}

/** The part of the log that was read at once. It is bounded by what that costs, so it may hold nothing that matches. */
export interface Stretch {
  /** Those that match, in the order of the log: the newest first, but a refusal may come a little before later vends. */
  readonly records: readonly FoundRecord[]
  readonly readAt: number
  /** The times of the oldest and the newest record of the stretch, whether they match or not; undefined if it has none. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** The bookmark to read on from; undefined if there is nothing further back. */
  readonly next: string | undefined
  /** How many lines are no records, of those that were looked at. */
  readonly unreadable: number
}

export interface FoundRecord extends ParsedRecord {
  /** To be read first again, by `before`, wherever else the log has been written to meanwhile. */
  readonly bookmark: string
}
