import type { ParsedRecord } from './parsed-record.ts'
import { type AuditRecord, renderRecord } from './record.ts'

export interface PrincipalName {
  readonly issuer: string
  readonly subject: string
}

/** Which records to find: those for which every given condition holds. Times are in milliseconds. */
export interface AuditQuery {
  /** The earliest time. */
  readonly from?: number | undefined
  /** The end of the time, itself not included. */
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

/** Where records are read from. Its errors say what failed and name the file or table. */
export interface AuditSource {
  /** All that match, oldest first. */
  all(query: AuditQuery): AsyncIterable<ParsedRecord>
  /** The newest `limit` of those that match, newest first. */
  newest(query: AuditQuery, limit: number): AsyncIterable<ParsedRecord>
}

/** Called if there are lines that are no records, with their number: torn by a crash, or broken by somebody. */
export type OnUnreadable = (unreadable: { where: string; lines: number }) => void

const EXACT = ['database', 'user', 'decision', 'code', 'grant', 'sourceIp'] as const

/** Returns a function that tells whether a record matches the query. */
export function compileQuery(query: AuditQuery): (parsed: ParsedRecord) => boolean {
  const { from, to, id, fingerprint } = query
  const principal = query.principal && asRecorded(query.principal)
  const exact = EXACT.flatMap(member =>
    query[member] === undefined ? [] : [[member, query[member]] as const],
  )
  const firstKey = from === undefined ? '' : new Date(from).toISOString()
  const endKey = to === undefined ? '~' : new Date(to).toISOString()
  return ({ sortKey, record }) =>
    sortKey >= firstKey &&
    sortKey < endKey &&
    exact.every(([member, value]) => record[member] === value) &&
    (principal === undefined || isBy(record, principal)) &&
    (id === undefined || record.id === id || record.requestId === id) &&
    (fingerprint === undefined || String(record.fingerprint ?? '').startsWith(fingerprint))
}

function isBy({ principal }: AuditRecord, { issuer, subject }: PrincipalName): boolean {
  return principal?.issuer === issuer && principal.subject === subject
}

/** Returns a principal as records name it: they cut long subjects. */
export function asRecorded(principal: PrincipalName): PrincipalName {
  const line = renderRecord({ id: '', time: '', decision: 'refused', principal })
  return (JSON.parse(line) as AuditRecord).principal ?? principal
}
