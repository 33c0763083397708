import type { Claim } from '../authentication/principal.ts'
import { escapeUnprintable, printableJson, shortenForJson } from '../lib/printable.ts'

/** What a line has at most: the claims of one with more bytes are cut. */
export const MAX_RECORD_BYTES = 8192
/** In bytes of the line, escapes included: a record must not grow with what somebody sends. */
const MAX_TEXT_BYTES = 512
const MAX_USER_AGENT_BYTES = 256
const MAX_ADDRESS_BYTES = 64
/** For all claims together. */
const MAX_CLAIMS_BYTES = 3072
const MIN_CLAIM_BYTES = 32

export const TEXT_LIMITS = {
  requestId: MAX_TEXT_BYTES,
  reason: MAX_TEXT_BYTES,
  database: MAX_TEXT_BYTES,
  user: MAX_TEXT_BYTES,
  refused: MAX_TEXT_BYTES,
  sourceIp: MAX_ADDRESS_BYTES,
  userAgent: MAX_USER_AGENT_BYTES,
} as const
const LIMITED_MEMBERS = Object.keys(TEXT_LIMITS) as (keyof typeof TEXT_LIMITS)[]

/** One record of the audit log: see docs/operations.md. Times are ISO 8601 in UTC. Must not contain a secret. */
export interface AuditRecord {
  readonly id: string
  readonly time: string
  readonly requestId?: string | undefined
  /** The trace that the request belongs to: 32 hexadecimal digits. */
  readonly traceId?: string | undefined
  /** `listed`: the principal was told what it may have tokens for. */
  readonly decision: 'vended' | 'listed' | 'refused' | 'failed'
  /** The code of the caller's error; absent on `vended` and `listed`. */
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
  /** Only on counting records: the network that the counted ones came from, such as `2001:db8::/48`. */
  readonly network?: string | undefined
  /** Only on counting records: how many records were counted, from `since` until `time`. */
  readonly count?: number | undefined
  readonly since?: string | undefined
  /** The members that were cut because they were too long; absent if all are whole. */
  readonly cut?: readonly string[] | undefined
}

/**
 * Renders a record as one line of JSON, without a newline and with its members always in the same order; undefined ones
 * are left out. Everything unprintable is escaped, and what callers choose is cut so that a line has at most 8 KiB.
 * Does NOT look for secrets: none may be put into a record.
 */
export function renderRecord(record: AuditRecord): string {
  const bounded = cutTexts(record)
  const line = lineOf(renderMembers(bounded))
  return Buffer.byteLength(line) <= MAX_RECORD_BYTES ? line : lineOf(renderMembers(cutClaims(bounded)))
}

/** Returns the line whose members, but for the first two, have this text: those of `renderMembers`, in their order. */
export function lineOf(members: string): string {
  return `{"type":"jeton.audit","v":1${members}}`
}

/**
 * Returns the members that a record has, or a part of one, as they stand in its line: each with a comma before it. Undefined
 * ones are left out. Cuts nothing.
 */
export function renderMembers(record: Partial<AuditRecord>): string {
  const json = printableJson(toJson(record))
  return json === '{}' ? '' : `,${json.slice(1, -1)}`
}

function toJson(record: Partial<AuditRecord>) {
  const { principal } = record
  return {
    id: record.id,
    time: record.time,
    requestId: record.requestId,
    traceId: record.traceId,
    decision: record.decision,
    code: record.code,
    reason: record.reason,
    principal: principal && {
      issuer: principal.issuer,
      subject: principal.subject,
      claims: principal.claims,
    },
    grant: record.grant,
    database: record.database,
    user: record.user,
    identity: record.identity,
    fingerprint: record.fingerprint,
    cached: record.cached,
    issuedAt: record.issuedAt,
    expiresAt: record.expiresAt,
    refused: record.refused,
    sourceIp: record.sourceIp,
    userAgent: record.userAgent,
    network: record.network,
    instance: record.instance,
    count: record.count,
    since: record.since,
    cut: record.cut,
  }
}

/**
 * Returns a record whose texts are not too long; `cut` names those that were. The record itself if nothing was, as for nearly
 * all vends. Escapes the reason, because it is a sentence that quotes what callers send.
 */
export function cutTexts<Part extends Partial<AuditRecord>>(record: Part): Part {
  let bounded = record.reason === undefined ? record : { ...record, reason: escapeUnprintable(record.reason) }
  for (const member of LIMITED_MEMBERS) {
    const text = bounded[member]
    if (text === undefined) continue
    const short = shortenForJson(text, TEXT_LIMITS[member])
    if (short !== text) bounded = { ...bounded, [member]: short, cut: [...(bounded.cut ?? []), member] }
  }
  const { principal } = bounded
  if (!principal) return bounded
  const subject = shortenForJson(principal.subject, MAX_TEXT_BYTES)
  if (subject === principal.subject) return bounded
  return {
    ...bounded,
    principal: { ...principal, subject },
    cut: [...(bounded.cut ?? []), 'principal.subject'],
  }
}

/** Returns a record with the JSON of each claim in its place, cut so that all together take about 3 KiB. */
function cutClaims(record: AuditRecord): AuditRecord {
  const { principal } = record
  if (!principal?.claims) return record
  const entries = Object.entries(principal.claims)
  const maxBytes = Math.max(MIN_CLAIM_BYTES, Math.floor(MAX_CLAIMS_BYTES / entries.length))
  const claims = Object.fromEntries(
    entries.map(([name, value]) => [name, shortenForJson(JSON.stringify(value), maxBytes)]),
  )
  return { ...record, principal: { ...principal, claims }, cut: [...(record.cut ?? []), 'principal.claims'] }
}
