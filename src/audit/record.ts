import type { Claim } from '../authentication/principal.ts'

/** Text that callers choose is cut to this many UTF-16 units: a record must never grow by what somebody sends. */
const LONGEST_TEXT = 512
/** A line longer than this has its claims cut, one by one. */
const LONGEST_LINE = 8192

/** One record of the audit log, as the contract's "Audit record" has it. Times are ISO 8601 in UTC. Never a secret in it. */
export interface AuditRecord {
  readonly id: string
  readonly time: string
  readonly requestId?: string | undefined
  readonly decision: 'vended' | 'refused' | 'failed'
  /** The error's code, as the caller got it; absent on `vended`. */
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
  /** The fingerprint of the token that the caller said the database refused. */
  readonly refused?: string | undefined
  readonly sourceIp?: string | undefined
  readonly userAgent?: string | undefined
  readonly instance?: string | undefined
  /** On a counting record alone: how many it stands for, and from when on; `time` says until when. */
  readonly count?: number | undefined
  readonly since?: string | undefined
}

/**
 * The record as one line of JSON, without a newline and with its members always in the same order; what is undefined is
 * left out. Text that callers choose is cut to 512 characters; claims are cut too where the line would pass 8,192.
 * Does not look for secrets: none may be put into a record.
 */
export function renderRecord(record: AuditRecord): string {
  const line = JSON.stringify(ordered(record))
  if (line.length <= LONGEST_LINE || !record.principal?.claims) return line
  const claims = Object.entries(record.principal.claims)
  const shortened = Object.fromEntries(claims.map(([name, value]) => [name, cut(JSON.stringify(value))]))
  return JSON.stringify(ordered({ ...record, principal: { ...record.principal, claims: shortened } }))
}

function ordered(record: AuditRecord) {
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

function cut<Text extends string | undefined>(text: Text): Text | string {
  return text === undefined || text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`
}
