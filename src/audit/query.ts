import { asRecorded, type PrincipalName } from './dynamodb/item.ts'
import type { ParsedRecord } from './parsed-record.ts'
import type { AuditRecord } from './record.ts'

/** Which records are looked for: those for which all hold that are given. Times are in milliseconds. */
export interface AuditQuery {
  /** The earliest time. */
  readonly from?: number | undefined
  /** The time before which they were recorded. */
  readonly to?: number | undefined
  readonly principal?: PrincipalName | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  readonly decision?: string | undefined
  readonly code?: string | undefined
  readonly grant?: string | undefined
  /** The whole of it or a beginning. */
  readonly fingerprint?: string | undefined
  readonly sourceIp?: string | undefined
  /** A record's `id` or its `requestId`. */
  readonly id?: string | undefined
}

/** Where records are read from. What they throw says what failed and names the log. */
export interface AuditSource {
  /** All that match, oldest first. */
  all(query: AuditQuery): AsyncIterable<ParsedRecord>
  /** The newest `limit` of those that match, newest first. */
  newest(query: AuditQuery, limit: number): AsyncIterable<ParsedRecord>
}

/** Told where there are lines that are no records, and how many: what a crash tore, or what somebody broke. */
export type OnUnreadable = (unreadable: { where: string; lines: number }) => void

const EXACT = ['database', 'user', 'decision', 'code', 'grant', 'sourceIp'] as const

/** Compiles a query: what it gives tells whether a record is one of those looked for. */
export function matcher(query: AuditQuery): (found: ParsedRecord) => boolean {
  const { from, to, id, fingerprint } = query
  const principal = query.principal && asRecorded(query.principal)
  const wanted = EXACT.flatMap(member =>
    query[member] === undefined ? [] : [[member, query[member]] as const],
  )
  const earliest = from === undefined ? '' : new Date(from).toISOString()
  const end = to === undefined ? '~' : new Date(to).toISOString()
  return ({ order, record }) =>
    order >= earliest &&
    order < end &&
    wanted.every(([member, value]) => record[member] === value) &&
    (principal === undefined || isBy(record, principal)) &&
    (id === undefined || record.id === id || record.requestId === id) &&
    (fingerprint === undefined || String(record.fingerprint ?? '').startsWith(fingerprint))
}

function isBy({ principal }: AuditRecord, { issuer, subject }: PrincipalName): boolean {
  return principal?.issuer === issuer && principal.subject === subject
}
