import type { Claim } from '../authentication/principal.ts'

/** In UTF-16 units, for text that callers choose: a record must not grow with what somebody sends. */
const MAX_TEXT_LENGTH = 512
/** The claims of a longer line are cut, one by one. */
const MAX_LINE_LENGTH = 8192

/** One record of the audit log: see docs/operations.md. Times are ISO 8601 in UTC. Must not contain a secret. */
export interface AuditRecord {
  readonly id: string
  readonly time: string
  readonly requestId?: string | undefined
  readonly decision: 'vended' | 'refused' | 'failed'
  /** The code of the caller's error; absent on `vended`. */
  readonly code?: string | undefined
  /** For operators: the nearest grant and the claim that missed. */
  readonly reason?: string | undefined
  readonly principal?:
    | {
        readonly issuer: string
        readonly subject: string
        /** Only the claims that this issuer's grants name. */
        readonly claims?: { readonly [name: string]: Claim } | undefined
      }
    | undefined
  readonly grant?: string | undefined
  readonly database?: string | undefined
  readonly user?: string | undefined
  /** The ARN of the role session. */
  readonly identity?: string | undefined
  /** Lower-case hex SHA-256 of the token that was vended. */
  readonly fingerprint?: string | undefined
  readonly cached?: boolean | undefined
  readonly issuedAt?: string | undefined
  readonly expiresAt?: string | undefined
  /** The fingerprint of the token that the database refused, as the caller reported. */
  readonly refused?: string | undefined
  readonly sourceIp?: string | undefined
  readonly userAgent?: string | undefined
  readonly instance?: string | undefined
  /** Only on counting records: how many records were counted, from `since` until `time`. */
  readonly count?: number | undefined
  readonly since?: string | undefined
}

/**
 * Renders a record as one line of JSON, without a newline and with its members always in the same order; undefined ones
 * are left out. Text that callers choose is cut to 512 characters, and so are claims if the line would exceed 8,192.
 * Does NOT look for secrets: none may be put into a record.
 */
export function renderRecord(record: AuditRecord): string {
  const line = JSON.stringify(toJson(record))
  if (line.length <= MAX_LINE_LENGTH || !record.principal?.claims) return line
  const entries = Object.entries(record.principal.claims)
  const claims = Object.fromEntries(entries.map(([name, value]) => [name, cut(JSON.stringify(value))]))
  return JSON.stringify(toJson({ ...record, principal: { ...record.principal, claims } }))
}

function toJson(record: AuditRecord) {
  const { principal } = record
  return {
    type: 'jeton.audit',
    v: 1,
    id: record.id,
    time: record.time,
    requestId: cut(record.requestId),
    decision: record.decision,
    code: record.code,
    reason: cut(record.reason),
    principal: principal && {
      issuer: principal.issuer,
      subject: cut(principal.subject),
      claims: principal.claims,
    },
    grant: record.grant,
    database: cut(record.database),
    user: cut(record.user),
    identity: record.identity,
    fingerprint: record.fingerprint,
    cached: record.cached,
    issuedAt: record.issuedAt,
    expiresAt: record.expiresAt,
    refused: cut(record.refused),
    sourceIp: cut(record.sourceIp),
    userAgent: cut(record.userAgent),
    instance: record.instance,
    count: record.count,
    since: record.since,
  }
}

/** Not `shorten` of lib/printable.ts, which drops half a surrogate pair: queries compare with the text in old records. */
function cut<Text extends string | undefined>(text: Text): Text | string {
  return text === undefined || text.length <= MAX_TEXT_LENGTH
    ? text
    : `${text.slice(0, MAX_TEXT_LENGTH - 1)}…`
}
