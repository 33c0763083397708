/** One audit log. The audit log alone appends to it, one batch at a time. */
export interface Sink {
  /** What the log is called in health, metrics and messages, e.g. `file /var/log/jeton/audit.jsonl`. */
  readonly name: string
  /**
   * Writes the lines (rendered records, each without its newline) in order, as durable as this log gets on return.
   * Rejects where that is not certain; some of the lines may then have been written all the same.
   */
  append(lines: readonly string[]): Promise<void>
  /** The hash of the last record that was surely written, where the log is chained. */
  head(): string | undefined
  /** Waits for what is being written, then lets go of what the log holds. */
  close(): Promise<void>
}
