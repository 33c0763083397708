import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditRecord } from '../audit/record.ts'
import { escapeJson, escapeText, shorten } from '../lib/printable.ts'

const FINGERPRINT_LENGTH = 12
const MAX_CELL_LENGTH = 100
const NONE = '-'

/**
 * Returns a record as it was recorded, on one line and with everything unprintable escaped, whoever wrote it: it parses to
 * the same value, but its text may not be the one that its hash was made of.
 */
export function formatAuditJson({ line }: ParsedRecord): string {
  // outside of strings JSON allows white space, and inside of them none but the space
  return escapeJson(line.replace(/[\t\r\n]/g, ' '))
}

/**
 * Returns a record as one row for people: time, decision, whether cached or why not vended, principal, database, grant,
 * source, and the fingerprint or the reason. Text that callers chose is escaped, so it cannot control the terminal.
 */
export function formatAuditRow(record: AuditRecord): string {
  const { time, decision, code, cached, principal, database, user, grant, sourceIp, network } = record
  const isVended = decision === 'vended'
  const cells = [
    cell(time),
    cell(decision).padEnd('refused'.length),
    isVended ? (cached ? 'cached' : 'new').padEnd('cached'.length) : cell(code),
    principal ? `${cell(principal.issuer)}/${cell(principal.subject)}` : NONE,
    database === undefined ? NONE : `${cell(database)}/${cell(user)}`,
    cell(grant),
    cell(sourceIp ?? network),
    isVended ? cell(record.fingerprint).slice(0, FINGERPRINT_LENGTH) : cell(record.reason),
    ...(record.count === undefined ? [] : [`${cell(record.count)} times since ${cell(record.since)}`]),
  ]
  return cells.join('  ')
}

/** Takes any type, because nobody has checked what the log contains. */
function cell(value: unknown): string {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? shorten(escapeText(String(value)), MAX_CELL_LENGTH) || NONE : NONE
}
