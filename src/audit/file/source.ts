import { type ParsedRecord, parsed, readRecord } from '../parsed-record.ts'
import { type AuditQuery, type AuditSource, matcher, type OnUnreadable } from '../query.ts'
import { mergeOrdered, newestOf, oldestFirst } from '../record-order.ts'
import { LONGEST_LINE_BYTES, RECOVERED } from './hash-chain.ts'
import { type Line, linesOf } from './read-lines.ts'

export interface FileSourceOptions {
  /** In whatever order. */
  paths: readonly string[]
  onUnreadable: OnUnreadable
}

/**
 * Reads audit logs of type file, or what was kept of stdout, line by line and all of it, however large: no more is held
 * than what is found, or for `all` a line of each file. Files are merged by time; within one, `all` keeps the file's own
 * order, in which a refusal may stand a little after later vends. Nothing is verified: `jeton audit verify` does that.
 */
export function createFileSource({ paths, onUnreadable }: FileSourceOptions): AuditSource {
  async function* recordsOf(path: string, query: AuditQuery): AsyncGenerator<ParsedRecord> {
    const matches = matcher(query)
    let unreadable = 0
    for await (const found of readFile(path)) {
      if (!found) unreadable++
      else if (matches(found)) yield found
    }
    if (unreadable > 0) onUnreadable({ where: path, lines: unreadable })
  }

  const all = (query: AuditQuery) =>
    mergeOrdered(
      paths.map(path => recordsOf(path, query)),
      oldestFirst,
    )
  return {
    all,
    async *newest(query, limit) {
      yield* await newestOf(all(query), limit)
    },
  }
}

/** The records of a file; undefined for each line that is none. What names a torn line is neither. */
async function* readFile(path: string): AsyncGenerator<ParsedRecord | undefined> {
  let number = 0
  try {
    for await (const lines of linesOf(path))
      for (const { bytes } of lines.map(whole)) {
        number++
        const line = bytes.toString()
        const found = readRecord(line)
        if (found || parsed(line)?.type !== RECOVERED) yield found
      }
  } catch (cause) {
    const where = number === 0 ? path : `${path}, after line ${number}`
    throw new Error(`${where}: cannot be read: ${cause instanceof Error ? cause.message : 'unknown error'}`)
  }
}

/** Nothing is read beyond such a line: to leave it out in silence would leave out all that follows. */
function whole(line: Line): { readonly bytes: Buffer } {
  if (line.tooLong) throw new Error(`a line longer than ${LONGEST_LINE_BYTES} bytes is in no audit log`)
  return line
}
