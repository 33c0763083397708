import { LIFECYCLE_TYPES } from '../audit/lifecycle-record.ts'
import { DECISION_TYPE } from '../audit/parsed-record.ts'
import type { AuditQuery } from '../audit/query.ts'
import { UsageError } from '../errors.ts'
import { parseIpNetwork } from '../lib/ip-network.ts'
import { DAY_MS } from '../lib/iso-time.ts'

/** The flags of `jeton audit query`, as written on the command line. */
export interface AuditQueryFlags {
  from?: string | undefined
  to?: string | undefined
  principal?: string | undefined
  database?: string | undefined
  user?: string | undefined
  decision?: string | undefined
  code?: string | undefined
  grant?: string | undefined
  fingerprint?: string | undefined
  sourceIp?: string | undefined
  type?: string | undefined
  id?: string | undefined
  identity?: string | undefined
  limit?: string | undefined
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS }
const RELATIVE_TIME = /^(\d{1,9})([smhd])$/
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?<zone>Z|[+-]\d\d:\d\d)?)?$/
const DECISIONS = ['vended', 'listed', 'refused', 'failed']
const LIFECYCLE_NAMES = LIFECYCLE_TYPES.map(type => type.slice(`${DECISION_TYPE}.`.length))
const DEFAULT_LIMIT = 100

/** Parses the flags; `now` is in milliseconds. A limit of 0 becomes Infinity. Throws `UsageError`. */
export function parseAuditQuery(flags: AuditQueryFlags, now: number): { query: AuditQuery; limit: number } {
  const { database, user, decision, code, grant, fingerprint, sourceIp, id } = flags
  const from = flags.from === undefined ? undefined : parseTime('--from', { text: flags.from, now })
  const to = flags.to === undefined ? undefined : parseTime('--to', { text: flags.to, now })
  if (from !== undefined && to !== undefined && from >= to) throw new UsageError('--from must be before --to')
  if (decision !== undefined && !DECISIONS.includes(decision))
    throw new UsageError(`--decision takes one of ${DECISIONS.join(', ')}`)
  if (fingerprint !== undefined && !/^[0-9a-f]{1,64}$/i.test(fingerprint))
    throw new UsageError('--fingerprint takes the hex SHA-256 of a token, or the beginning of it')
  return {
    query: {
      from,
      to,
      principal: flags.principal === undefined ? undefined : parsePrincipal(flags.principal),
      database,
      user,
      decision,
      code,
      grant,
      fingerprint: fingerprint?.toLowerCase(),
      sourceIp: sourceIp === undefined ? undefined : parseSourceIp(sourceIp),
      types: flags.type === undefined ? undefined : parseType(flags.type),
      id,
      identity: flags.identity === undefined ? undefined : parseIdentity(flags.identity),
    },
    limit: parseLimit(flags.limit),
  }
}

/** Returns a time in milliseconds. One without a zone is UTC, like the times in the records. Throws `UsageError`. */
export function parseTime(flag: string, { text, now }: { text: string; now: number }): number {
  const [, count, unit = ''] = RELATIVE_TIME.exec(text) ?? []
  if (count !== undefined) return Math.max(0, now - Number(count) * (UNIT_MS[unit] ?? 0))
  const iso = ISO_TIME.exec(text)
  const needsZone = text.includes('T') && iso?.groups?.zone === undefined
  const ms = iso ? Date.parse(needsZone ? `${text}Z` : text) : Number.NaN
  if (!(ms >= 0))
    throw new UsageError(
      `${flag} takes a time, like 2026-11-23T10:00:00Z, or how long ago, like 30m, 2h or 7d`,
    )
  return ms
}

function parsePrincipal(text: string): AuditQuery['principal'] {
  const slash = text.indexOf('/')
  if (slash < 1 || slash === text.length - 1)
    throw new UsageError('--principal takes ISSUER/SUBJECT, the issuer by its name in the configuration')
  return { issuer: text.slice(0, slash), subject: text.slice(slash + 1) }
}

function parseSourceIp(text: string): string {
  if (parseIpNetwork(text) === undefined)
    throw new UsageError('--source-ip takes an IP address, or a network such as 192.0.2.0/24')
  return text
}

/** As RDS's log names a role session, and as records and CloudTrail do. */
const SESSION_ARN = /^(?:arn:[\w-]+:sts::\d{12}:)?assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]{2,64}$/
/** CloudTrail's `principalId` is the role's id and the session's name. */
const SESSION_NAME = /^(?:AROA[A-Z0-9]+:)?([\w+=,.@-]{2,64})$/

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html has the form of session names. */
function parseIdentity(text: string): string {
  const identity = SESSION_ARN.test(text) ? text : SESSION_NAME.exec(text)?.[1]
  if (identity === undefined)
    throw new UsageError(
      "--identity takes the ARN of a role session, like arn:aws:sts::123456789012:assumed-role/ROLE/SESSION, or the session's name",
    )
  return identity
}

function parseType(text: string): AuditQuery['types'] {
  if (text === 'decision') return [DECISION_TYPE]
  if (text === 'lifecycle') return LIFECYCLE_TYPES
  const type = LIFECYCLE_TYPES[LIFECYCLE_NAMES.indexOf(text)]
  if (type === undefined)
    throw new UsageError(`--type takes decision, lifecycle, or one of ${LIFECYCLE_NAMES.join(', ')}`)
  return [type]
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT
  if (!/^\d{1,9}$/.test(text)) throw new UsageError('--limit takes a number; 0 means all')
  return Number(text) || Number.POSITIVE_INFINITY
}
