import { DECISION_TYPE, isCanonicalTime } from '../parsed-record.ts'
import { type AuditQuery, asRecorded } from '../query.ts'

/** What to look at in a block of lines. */
export interface BlockScan {
  /** Called with each line that may match, in order, without its newline. */
  onLine(start: number, end: number): void
  /** Called with each record that certainly does not match; it was not parsed. */
  onSkipped(): void
  /** The beginning of a sort key: records before it need not be looked at any more. Asked for each line. */
  earliest?: (() => string) | undefined
}

/** Looks at the lines of a block. */
export type LineFilter = (block: Buffer, scan: BlockScan) => void

const [NEWLINE, QUOTE, BACKSLASH, CLOSING_BRACE] = [10, 0x22, 0x5c, 0x7d]
/** How jeton begins the record of a request. */
const HEAD = Buffer.from(`{"type":"${DECISION_TYPE}","v":1,"id":"`)
const TIME_MEMBER = Buffer.from(',"time":"')
const TIME_NAME = Buffer.from('"time"')
const TIME_LENGTH = '2026-11-23T10:00:00.000Z'.length
/** Of the ids that jeton makes. */
const UUID_LENGTH = 36
/** Text that has one spelling in JSON without a backslash, and one in UTF-8. */
const PLAIN = /^[ !#-[\]-~]+$/

/**
 * Returns a filter by bytes, which costs much less than parsing: it skips a line only if the query cannot match its record. A line
 * that jeton would not write, or that has a backslash, is always looked at. The records found are the same without the filter; a
 * damaged line that begins and ends as a record does may be taken for one that does not match.
 */
export function compileLineFilter(query: AuditQuery): LineFilter {
  const needles = needlesOf(query)
  const from = query.from === undefined ? '' : new Date(query.from).toISOString()
  const to = query.to === undefined ? '~' : new Date(query.to).toISOString()

  return (block, { onLine, onSkipped, earliest }) => {
    const hasBackslash = createFinder(block, BACKSLASH)
    const finders = needles.map(needle => createFinder(block, needle))
    const isTimed = from !== '' || to !== '~' || earliest !== undefined
    for (let start = 0; start < block.length; ) {
      const newline = block.indexOf(NEWLINE, start)
      const end = newline < 0 ? block.length : newline
      if (canSkip(start, end)) onSkipped()
      else onLine(start, end)
      start = end + 1
    }

    function canSkip(start: number, end: number): boolean {
      if (hasBackslash(start, end) || !isRecord(block, start, end)) return false
      if (finders.some(isIn => !isIn(start, end))) return true
      return isTimed && isOutside(start, end)
    }

    function isOutside(start: number, end: number): boolean {
      const at = timeOffset(block, start, end)
      if (at < 0) return false
      const time = block.toString('latin1', at, at + TIME_LENGTH)
      const isWithin = time >= from && time < to && time >= (earliest?.() ?? '')
      return !isWithin && isCanonicalTime(time) && !isTimeRepeated(at, end)
    }

    /** Of two members of one name, the last counts. */
    function isTimeRepeated(at: number, end: number): boolean {
      return block.subarray(at, end).includes(TIME_NAME)
    }
  }
}

/** Returns a function that says whether the line from `start` to `end` has the bytes. To be called with one line after the other. */
function createFinder(block: Buffer, needle: Buffer | number): (start: number, end: number) => boolean {
  let at = block.indexOf(needle)
  return (start, end) => {
    if (at >= 0 && at < start) at = block.indexOf(needle, start)
    return at >= 0 && at < end
  }
}

function isRecord(block: Buffer, start: number, end: number): boolean {
  if (block[end - 1] !== CLOSING_BRACE || end - start < HEAD.length) return false
  for (let i = 0; i < HEAD.length; i++) if (block[start + i] !== HEAD[i]) return false
  return true
}

/** Returns where the text of the time begins in a line that `isRecord`; -1 if it does not follow the id. */
function timeOffset(block: Buffer, start: number, end: number): number {
  const id = start + HEAD.length
  const idEnd = block[id + UUID_LENGTH] === QUOTE ? id + UUID_LENGTH : block.indexOf(QUOTE, id)
  const at = idEnd + 1 + TIME_MEMBER.length
  if (idEnd < 0 || at + TIME_LENGTH >= end || block[at + TIME_LENGTH] !== QUOTE) return -1
  for (let i = 0; i < TIME_MEMBER.length; i++) if (block[idEnd + 1 + i] !== TIME_MEMBER[i]) return -1
  return at
}

/** Returns texts that are all in the line of each record that matches, if it has no backslash. */
function needlesOf(query: AuditQuery): Buffer[] {
  const { database, user, decision, code, grant, fingerprint, id, identity, types } = query
  const principal = query.principal && asRecorded(query.principal)
  const values = [database, user, decision, code, grant, id, principal?.issuer, principal?.subject]
  const texts = [
    ...values.flatMap(value => quoted(value, { opening: '"', closing: '"' })),
    ...quoted(fingerprint, { opening: '"', closing: '' }),
    ...quoted(identity, { opening: '', closing: '"' }),
    // lines of other types are always looked at
    ...(types === undefined || types.includes(DECISION_TYPE) ? [] : [`"${DECISION_TYPE}.`]),
  ]
  return texts.map(text => Buffer.from(text))
}

function quoted(
  text: string | undefined,
  { opening, closing }: { opening: string; closing: string },
): string[] {
  return text !== undefined && PLAIN.test(text) ? [`${opening}${text}${closing}`] : []
}
