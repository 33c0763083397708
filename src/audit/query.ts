import { overlap, parseIpNetwork } from '../lib/ip-network.ts'
import type { ParsedRecord } from './parsed-record.ts'
import { type AuditRecord, renderRecord } from './record.ts'

/** The name of a principal in records. */
export interface PrincipalName {
  readonly issuer: string
  readonly subject: string
}

/** Conditions that records must all meet; those not given do not count. Times are in milliseconds. */
export interface AuditQuery {
  /** The earliest time. */
  readonly from?: number | undefined
  /** The time before which records are found. */
  readonly to?: number | undefined
  readonly principal?: PrincipalName | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  readonly decision?: string | undefined
  readonly code?: string | undefined
  readonly grant?: string | undefined
  /** A fingerprint or its beginning. */
  readonly fingerprint?: string | undefined
  /** An address or a network: finds what came from it, and counts of a network that it is in or that is in it. */
  readonly sourceIp?: string | undefined
  /** Any of these types of records. */
  readonly types?: readonly ParsedRecord['type'][] | undefined
  /** A record's `id`, its `requestId` or its `traceId`. */
  readonly id?: string | undefined
  /** The ARN of a role session, or its end: `assumed-role/ROLE/SESSION`, or the session's name. */
  readonly identity?: string | undefined
}

/** Reads records. Its errors say what failed and name the file or table. */
export interface AuditSource {
  /** Yields all that match, oldest first. */
  all(query: AuditQuery): AsyncIterable<ParsedRecord>
  /** Yields the newest `limit` of those that match, newest first. */
  newest(query: AuditQuery, limit: number): AsyncIterable<ParsedRecord>
}

/** Called with the number of lines that are not records, if there are any: torn by a crash, or damaged later. */
export type OnUnreadable = (unreadable: { where: string; lines: number }) => void

/** Called with how many more records were read, whether they match or not, before the source ends. */
export type OnRead = (records: number) => void

const EXACT = ['database', 'user', 'decision', 'code', 'grant'] as const

/** Returns a predicate for the records that match a query. */
export function compileQuery(query: AuditQuery): (parsed: ParsedRecord) => boolean {
  const { from, to, id, fingerprint, types } = query
  const principal = query.principal && asRecorded(query.principal)
  const isFrom = compileSource(query.sourceIp)
  const isIdentity = compileIdentity(query.identity)
  const exact = EXACT.flatMap(member =>
    query[member] === undefined ? [] : [[member, query[member]] as const],
  )
  const firstKey = from === undefined ? '' : new Date(from).toISOString()
  const endKey = to === undefined ? '~' : new Date(to).toISOString()
  return ({ sortKey, type, record }) =>
    sortKey >= firstKey &&
    sortKey < endKey &&
    (types === undefined || types.includes(type)) &&
    exact.every(([member, value]) => record[member] === value) &&
    (principal === undefined || isBy(record, principal)) &&
    isFrom(record) &&
    isIdentity(record) &&
    (id === undefined || record.id === id || record.requestId === id || record.traceId === id) &&
    (fingerprint === undefined || isFingerprint(record, fingerprint))
}

function isFingerprint({ fingerprint }: AuditRecord, beginning: string): boolean {
  return typeof fingerprint === 'string' && fingerprint.startsWith(beginning)
}

function compileSource(source: string | undefined): (record: AuditRecord) => boolean {
  if (source === undefined) return () => true
  const wanted = parseIpNetwork(source)
  return ({ network, sourceIp }) => {
    const place: unknown = sourceIp ?? network
    if (!wanted || typeof place !== 'string') return false
    const from = parseIpNetwork(place)
    return from !== undefined && overlap(wanted, from)
  }
}

/** The names of roles and sessions have no colon and no slash, so that an end of an ARN that begins after one is whole. */
function compileIdentity(wanted: string | undefined): (record: AuditRecord) => boolean {
  if (wanted === undefined) return () => true
  const isEnd = (identity: string) => identity.endsWith(`/${wanted}`) || identity.endsWith(`:${wanted}`)
  return ({ identity }) => typeof identity === 'string' && (identity === wanted || isEnd(identity))
}

function isBy({ principal }: AuditRecord, { issuer, subject }: PrincipalName): boolean {
  return principal?.issuer === issuer && principal.subject === subject
}

/** Returns a principal as records name it: they cut long subjects. */
export function asRecorded(principal: PrincipalName): PrincipalName {
  const line = renderRecord({ id: '', time: '', decision: 'refused', principal })
  return (JSON.parse(line) as AuditRecord).principal ?? principal
}
