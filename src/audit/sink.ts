/** One destination of records. Only its sink writer appends to it, one batch at a time. */
export interface Sink {
  /** Its name in health, metrics and messages, e.g. `file /var/log/jeton/audit.jsonl`. */
  readonly name: string
  /** The most vends that it takes in one batch; by default as many as 512 KB hold. */
  readonly maxWrites?: number
  /**
   * Writes the lines (rendered records, each without its newline) in order. Resolves when they are as durable as this
   * sink makes them. Rejects if that is not certain; some of the lines may still have been written.
   */
  append(lines: readonly string[]): Promise<void>
  /**
   * Looks whether what was written is still there, and logs what is not. Called each minute while nothing is written; never
   * rejects. Only sinks have it whose records others may change.
   */
  check?(): Promise<void>
  /** Returns the hash of the last record surely written; undefined without a hash chain. */
  headHash(): string | undefined
  /** Waits for what is being written, then releases files and locks. */
  close(): Promise<void>
}
