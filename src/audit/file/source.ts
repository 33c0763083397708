import { parseJsonObject } from '../../lib/json.ts'
import { messageOf } from '../../lib/system-error.ts'
import { type ParsedRecord, parseRecord } from '../parsed-record.ts'
import { type AuditQuery, type AuditSource, compileQuery, type OnRead, type OnUnreadable } from '../query.ts'
import { mergeOrdered, newestOf, oldestFirst } from '../record-order.ts'
import { MAX_LINE_BYTES, RECOVERED_TYPE } from './hash-chain.ts'
import { type Line, readLines } from './read-lines.ts'

export interface FileSourceOptions {
  /** In any order. */
  paths: readonly string[]
  onUnreadable: OnUnreadable
  onRead?: OnRead
}

/**
 * Creates a source that reads audit files, or the kept output of a stdout sink, line by line and in full. However large
 * they are, only the results are in memory, or for `all` one chunk of each file. Files are merged by time; within one,
 * `all` keeps the file's own order, in which a refusal may follow a little after later vends. Does not verify the hash
 * chain: `jeton audit verify` does.
 */
export function createFileSource({ paths, onUnreadable, onRead }: FileSourceOptions): AuditSource {
  async function* readMatching(path: string, query: AuditQuery): AsyncGenerator<ParsedRecord> {
    const matches = compileQuery(query)
    let [read, unreadable] = [0, 0]
    for await (const record of readRecords(path)) {
      if (record) read++
      else unreadable++
      if (record && matches(record)) yield record
    }
    onRead?.(read)
    if (unreadable > 0) onUnreadable({ where: path, lines: unreadable })
  }

  const all = (query: AuditQuery) =>
    mergeOrdered(
      paths.map(path => readMatching(path, query)),
      oldestFirst,
    )
  return {
    all,
    async *newest(query, limit) {
      yield* await newestOf(all(query), limit)
    },
  }
}

/** Yields the records of a file, undefined for each line that is not one. Skips records that acknowledge torn pieces. */
async function* readRecords(path: string): AsyncGenerator<ParsedRecord | undefined> {
  let lineNumber = 0
  try {
    for await (const lines of readLines(path))
      for (const line of lines) {
        const text = textOf(line)
        lineNumber++
        const record = parseRecord(text)
        if (record || parseJsonObject(text)?.type !== RECOVERED_TYPE) yield record
      }
  } catch (cause) {
    const where = lineNumber === 0 ? path : `${path}, after line ${lineNumber}`
    throw new Error(`${where}: cannot be read: ${messageOf(cause, 'unknown error')}`)
  }
}

/** Throws for a line that is too long: reading ends there, and all that follows would be missing without a word. */
function textOf(line: Line): string {
  if (line.isTooLong)
    throw new Error(`the next line is longer than ${MAX_LINE_BYTES} bytes, so it is not an audit record`)
  return line.bytes.toString()
}
