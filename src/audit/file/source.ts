import { parseJsonObject } from '../../lib/json.ts'
import { messageOf } from '../../lib/system-error.ts'
import { type ParsedRecord, parseRecord } from '../parsed-record.ts'
import { type AuditQuery, type AuditSource, compileQuery, type OnUnreadable } from '../query.ts'
import { mergeOrdered, newestOf, oldestFirst } from '../record-order.ts'
import { MAX_LINE_BYTES, RECOVERED_TYPE } from './hash-chain.ts'
import { type Line, readLines } from './read-lines.ts'

export interface FileSourceOptions {
  /** In any order. */
  paths: readonly string[]
  onUnreadable: OnUnreadable
}

/**
 * Reads audit files, or the kept output of a stdout sink, line by line and in full, however large: it holds no more than
 * the results, or for `all` one line of each file. Files are merged by time; within one, `all` keeps the file's own
 * order, in which a refusal may stand a little after later vends. Verifies nothing: `jeton audit verify` does.
 */
export function createFileSource({ paths, onUnreadable }: FileSourceOptions): AuditSource {
  async function* readMatching(path: string, query: AuditQuery): AsyncGenerator<ParsedRecord> {
    const matches = compileQuery(query)
    let unreadable = 0
    for await (const record of readRecords(path)) {
      if (!record) unreadable++
      else if (matches(record)) yield record
    }
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

/** The records of a file; undefined for each line that is none. A record that acknowledges a torn piece is left out. */
async function* readRecords(path: string): AsyncGenerator<ParsedRecord | undefined> {
  let lineNumber = 0
  try {
    for await (const lines of readLines(path))
      for (const line of lines.map(textOf)) {
        lineNumber++
        const record = parseRecord(line)
        if (record || parseJsonObject(line)?.type !== RECOVERED_TYPE) yield record
      }
  } catch (cause) {
    const where = lineNumber === 0 ? path : `${path}, after line ${lineNumber}`
    throw new Error(`${where}: cannot be read: ${messageOf(cause, 'unknown error')}`)
  }
}

/** Throws for a line that is too long: reading ends there, and to skip it in silence would skip all that follows. */
function textOf(line: Line): string {
  if (line.isTooLong)
    throw new Error(`the next line is longer than ${MAX_LINE_BYTES} bytes: no audit record is`)
  return line.bytes.toString()
}
