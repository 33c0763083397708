import { DECISION_TYPE } from '../../audit/parsed-record.ts'
import type { FoundRecord } from '../../audit/recent-records.ts'
import { sha256Hex } from '../../lib/hash.ts'

const SECOND_MS = 1000
const KEY_LENGTH = 16

/** Records that stand on one line: one, or vends of one second that differ in nothing but the moment. */
export interface FoldedRecords {
  /** The same as long as the line is: it says which line of a newer page this one is. */
  readonly key: string
  /** The newest comes first. */
  readonly records: readonly [FoundRecord, ...FoundRecord[]]
}

/** The lines of a page, the newest first. */
export interface FoldedPage {
  readonly lines: readonly FoldedRecords[]
  /** Where the first record begins for which there was no line; undefined if there is one for each. */
  readonly next: string | undefined
}

/**
 * Returns records as lines, `maxLines` at most. Vends of the same principal, database, user and grant in the same second share a
 * line, unless `isFolded` is false.
 */
export function foldRecords(
  records: readonly FoundRecord[],
  { maxLines, isFolded }: { maxLines: number; isFolded: boolean },
): FoldedPage {
  const lines = new Map<string, [FoundRecord, ...FoundRecord[]]>()
  let next: string | undefined
  for (const found of records) {
    const name = (isFolded && vendName(found)) || found.line
    const line = lines.get(name)
    if (line) line.push(found)
    else if (lines.size < maxLines) lines.set(name, [found])
    else {
      next = found.bookmark
      break
    }
  }
  const folded = [...lines].map(([name, [first, ...others]]) => {
    const [newest = first, ...older] = [first, ...others].sort(newestFirst)
    return { key: `r-${sha256Hex(name).slice(0, KEY_LENGTH)}`, records: [newest, ...older] as const }
  })
  return { lines: folded.sort((a, b) => newestFirst(a.records[0], b.records[0])), next }
}

/** Undefined for what is not a vend: each of those stands on a line of its own. */
function vendName({ type, record, sortKey }: FoundRecord): string | undefined {
  if (type !== DECISION_TYPE || record.decision !== 'vended') return undefined
  const { principal, database, user, grant } = record
  const second = Math.floor(foundAt({ sortKey }) / SECOND_MS)
  return JSON.stringify([second, principal?.issuer, principal?.subject, database, user, grant])
}

/** Returns the time of a record that was found, in milliseconds. */
export function foundAt({ sortKey }: Pick<FoundRecord, 'sortKey'>): number {
  return Date.parse(sortKey.slice(0, sortKey.indexOf('#')))
}

function newestFirst(a: FoundRecord, b: FoundRecord): number {
  return a.sortKey < b.sortKey ? 1 : a.sortKey > b.sortKey ? -1 : 0
}
