import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditRecord } from '../audit/record.ts'
import { escapeJson, escapeText, shorten } from '../lib/printable.ts'

/** The columns of `jeton audit query -o table`. What ends a record has the rest of the line. */
export const AUDIT_COLUMNS = [
  'TIME',
  'DECISION',
  'CODE',
  'PRINCIPAL',
  'DATABASE/USER',
  'GRANT',
  'SOURCE',
  'DETAIL',
] as const

/** The columns that may be cut on a terminal. */
export const FLEXIBLE_AUDIT_COLUMNS = (['PRINCIPAL', 'DATABASE/USER', 'GRANT', 'SOURCE'] as const).map(name =>
  AUDIT_COLUMNS.indexOf(name),
)

const FINGERPRINT_LENGTH = 12
const MAX_CELL_LENGTH = 100
/** Stands where a record has nothing to show. */
export const NONE = '-'

/**
 * Returns a record as it was recorded, on one line and with everything unprintable escaped, whoever wrote it: it parses to
 * the same value, but its text may not be the one that its hash was made of.
 */
export function formatAuditJson({ line }: ParsedRecord): string {
  // outside of strings JSON allows white space, and inside of them none but the space
  return escapeJson(line.replace(/[\t\r\n]/g, ' '))
}

/**
 * Returns the cells of a record for people: its code is `cached` or `new` if a token was vended, and its detail is then the
 * beginning of the fingerprint, else the reason. Text that callers chose is escaped, so it cannot control the terminal.
 */
export function auditRow(record: AuditRecord): string[] {
  const { time, decision, code, cached, principal, database, user, grant, sourceIp, network } = record
  const isVended = decision === 'vended'
  const detail = isVended
    ? auditCell(record.fingerprint).slice(0, FINGERPRINT_LENGTH)
    : auditCell(record.reason)
  const count =
    record.count === undefined ? [] : [`${auditCell(record.count)} times since ${auditCell(record.since)}`]
  return [
    auditCell(time),
    auditCell(decision),
    isVended ? (cached ? 'cached' : 'new') : auditCell(code),
    principal ? `${auditCell(principal.issuer)}/${auditCell(principal.subject)}` : NONE,
    database === undefined ? NONE : `${auditCell(database)}/${auditCell(user)}`,
    auditCell(grant),
    auditCell(sourceIp ?? network),
    [...(detail === NONE && count.length > 0 ? [] : [detail]), ...count].join(', '),
  ]
}

/** Returns a value of a record as the text of a cell. Takes any type, because nobody has checked what the log contains. */
export function auditCell(value: unknown): string {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? shorten(escapeText(String(value)), MAX_CELL_LENGTH) || NONE : NONE
}
