import type { AuditRecord } from '../audit/record.ts'
import { escapeText, shorten } from '../lib/printable.ts'

const FINGERPRINT_LENGTH = 12
const LONGEST_CELL = 100
const NONE = '-'

/**
 * A record as one line for people: when, what became of it, for whom, on what, by which grant, from where, and the
 * token's fingerprint or why there was none. Text that callers chose can write nothing but itself to the terminal.
 */
export function rowOf(record: AuditRecord): string {
  const { time, decision, code, cached, principal, database, user, grant, sourceIp } = record
  const isVended = decision === 'vended'
  const cells = [
    shown(time),
    shown(decision).padEnd('refused'.length),
    isVended ? (cached ? 'cached' : 'new').padEnd('cached'.length) : shown(code),
    principal ? `${shown(principal.issuer)}/${shown(principal.subject)}` : NONE,
    database === undefined ? NONE : `${shown(database)}/${shown(user)}`,
    shown(grant),
    shown(sourceIp),
    isVended ? shown(record.fingerprint).slice(0, FINGERPRINT_LENGTH) : shown(record.reason),
    ...(record.count === undefined ? [] : [`${shown(record.count)} times since ${shown(record.since)}`]),
  ]
  return cells.join('  ')
}

/** A member of a record may be of any type: nobody has checked what the log holds. */
function shown(value: unknown): string {
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? shorten(escapeText(String(value)), LONGEST_CELL) || NONE : NONE
}
