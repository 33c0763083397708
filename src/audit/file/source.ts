import { parseJsonObject } from '../../lib/json.ts'
import { messageOf } from '../../lib/system-error.ts'
import { type ParsedRecord, parseRecord } from '../parsed-record.ts'
import { type AuditQuery, type AuditSource, compileQuery, type OnRead, type OnUnreadable } from '../query.ts'
import { createNewest } from '../record-order.ts'
import { RECOVERED_TYPE } from './hash-chain.ts'
import { compileLineFilter } from './line-filter.ts'
import { readFirstLine, readLogBlocks } from './log-blocks.ts'
import { mergeFiles } from './merge-files.ts'
import type { AuditFile } from './read-chunks.ts'

export interface FileSourceOptions {
  /** In any order. */
  paths: readonly string[]
  /** More of them, of which something is known. */
  files?: readonly AuditFile[] | undefined
  onUnreadable: OnUnreadable
  /** Called with the path of a compressed file that ends too early; all that it has is read. */
  onTruncated?: ((path: string) => void) | undefined
  onRead?: OnRead
}

/** How long a sort key's time is: what follows tells records of one time apart. */
const TIME_LENGTH = '2026-11-23T10:00:00.000Z'.length

/**
 * Creates a source that reads audit files, or the kept output of a stdout sink, plain or gzip, line by line and in full. However
 * large they are, only the results are in memory, or for `all` one chunk of each file that is being read. Files are merged by
 * time; within one, `all` keeps the file's own order, in which a refusal may follow a little after later vends. Does not verify
 * the hash chain: `jeton audit verify` does.
 */
export function createFileSource({
  paths,
  files = [],
  onUnreadable,
  onTruncated,
  onRead,
}: FileSourceOptions): AuditSource {
  const logs = [...paths.map((path): AuditFile => ({ path })), ...files]

  /** Yields what matches, block by block. */
  async function* readMatching(
    log: AuditFile,
    { query, earliest }: { query: AuditQuery; earliest?: () => string },
  ): AsyncGenerator<ParsedRecord[]> {
    const { path } = log
    const matches = compileQuery(query)
    const filter = compileLineFilter(query)
    let [read, unreadable] = [0, 0]
    let found: ParsedRecord[] = []
    const isBackwards = earliest !== undefined
    try {
      const blocks = readLogBlocks(log, { isBackwards, onTruncated: () => onTruncated?.(path) })
      for await (const block of blocks) {
        filter(block, {
          earliest,
          onSkipped: () => void read++,
          onLine(start, end) {
            const text = block.toString('utf8', start, end)
            const record = parseRecord(text)
            if (record) read++
            else if (parseJsonObject(text)?.type !== RECOVERED_TYPE) unreadable++
            if (record && matches(record)) found.push(record)
          },
        })
        if (found.length > 0) yield found
        found = []
      }
    } catch (cause) {
      const lines = read + unreadable
      const where = lines === 0 || isBackwards ? path : `${path}, after line ${lines}`
      throw new Error(`${where}: cannot be read: ${messageOf(cause, 'unknown error')}`)
    }
    onRead?.(read)
    if (unreadable > 0) onUnreadable({ where: path, lines: unreadable })
  }
  const couldHave = (from: string) => (log: AuditFile) =>
    log.newestMs === undefined || new Date(log.newestMs).toISOString() >= from

  return {
    async *all(query) {
      const isNeeded = couldHave(query.from === undefined ? '' : new Date(query.from).toISOString())
      const sequences = logs.filter(isNeeded).map(async log => ({
        firstKey: logs.length === 1 ? '' : (parseRecord(await readFirstLine(log))?.sortKey ?? ''),
        open: () => readMatching(log, { query }),
      }))
      for await (const batch of mergeFiles(await Promise.all(sequences))) yield* batch
    },
    async *newest(query, limit) {
      const newest = createNewest(limit)
      const earliest = () => newest.earliestKey().slice(0, TIME_LENGTH)
      const from = query.from === undefined ? '' : new Date(query.from).toISOString()
      for (const log of newestFirst(logs)) {
        if (!couldHave(from)(log) || !couldHave(earliest())(log)) continue
        for await (const batch of readMatching(log, { query, earliest }))
          for (const record of batch) newest.add(record)
      }
      yield* newest.all()
    },
  }
}

/** What nothing is known of comes first: it is most likely the file that is written to. */
function newestFirst(logs: readonly AuditFile[]): AuditFile[] {
  return logs.toSorted((a, b) => newestOf(b) - newestOf(a))
}

function newestOf({ newestMs = Number.MAX_VALUE }: AuditFile): number {
  return newestMs
}
