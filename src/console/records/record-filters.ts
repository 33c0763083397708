import { LIFECYCLE_TYPES } from '../../audit/lifecycle-record.ts'
import { DECISION_TYPE } from '../../audit/parsed-record.ts'
import type { PrincipalName } from '../../audit/query.ts'
import type { RecordsQuery } from '../../audit/records-query.ts'
import { JetonError } from '../../errors.ts'
import { parseIpNetwork } from '../../lib/ip-network.ts'

/** By what records can be filtered, as the parameters of the page and, but for `reason`, the options of the command are called. */
export const RECORD_FILTERS = [
  'principal',
  'database',
  'user',
  'grant',
  'decision',
  'code',
  'reason',
  'type',
  'source-ip',
  'fingerprint',
  'identity',
  'id',
  'from',
  'to',
] as const

export type RecordFilter = (typeof RECORD_FILTERS)[number]
export type RecordFilters = { readonly [Name in RecordFilter]?: string | undefined }

export const DECISIONS = ['vended', 'listed', 'refused', 'failed'] as const
const LIFECYCLE_NAMES = LIFECYCLE_TYPES.map(type => type.slice(`${DECISION_TYPE}.`.length))
const TYPES = ['decision', 'lifecycle', ...LIFECYCLE_NAMES]
/** No member of a record that can be filtered by is longer. */
const MAX_LENGTH = 1024

/** Returns the filters among the parameters of a request; those without a text are left out. Of a repeated one the last counts. */
export function readFilters(parameters: unknown): RecordFilters {
  const given = (parameters ?? {}) as Readonly<Record<string, unknown>>
  const entries = RECORD_FILTERS.flatMap(name => {
    const text = textParameter(given[name])
    return text ? [[name, text] as const] : []
  })
  return Object.fromEntries(entries)
}

/** Returns a parameter as a text; undefined if it is missing. */
export function textParameter(value: unknown): string | undefined {
  const last = Array.isArray(value) ? value.at(-1) : value
  return typeof last === 'string' ? last : undefined
}

/** Returns the conditions that filters stand for. Throws `invalid_request` for one that no record can meet as it is written. */
export function recordsQuery(filters: RecordFilters): RecordsQuery {
  for (const name of RECORD_FILTERS)
    if ((filters[name]?.length ?? 0) > MAX_LENGTH) throw invalid(`${name} is too long`)
  const { principal, database, user, grant, code, reason, identity, id } = filters
  return {
    principal: principal === undefined ? undefined : parsePrincipal(principal),
    database,
    user,
    grant,
    decision: oneOf('decision', { text: filters.decision, allowed: DECISIONS }),
    code,
    reason,
    types: typesOf(oneOf('type', { text: filters.type, allowed: TYPES })),
    sourceIp: parseSource(filters['source-ip']),
    fingerprint: parseFingerprint(filters.fingerprint),
    identity,
    id,
    from: parseTime('from', filters.from),
    to: parseTime('to', filters.to),
  }
}

/** Returns the name of a principal as it is written in a filter. */
export function principalText({ issuer, subject }: PrincipalName): string {
  return `${issuer}/${subject}`
}

function parsePrincipal(text: string): PrincipalName {
  const slash = text.indexOf('/')
  if (slash < 1 || slash === text.length - 1)
    throw invalid('principal takes ISSUER/SUBJECT, the issuer by its name in the configuration')
  return { issuer: text.slice(0, slash), subject: text.slice(slash + 1) }
}

function oneOf(
  name: RecordFilter,
  { text, allowed }: { text: string | undefined; allowed: readonly string[] },
): string | undefined {
  if (text !== undefined && !allowed.includes(text))
    throw invalid(`${name} takes one of ${allowed.join(', ')}`)
  return text
}

function typesOf(name: string | undefined): RecordsQuery['types'] {
  if (name === undefined) return undefined
  if (name === 'decision') return [DECISION_TYPE]
  if (name === 'lifecycle') return LIFECYCLE_TYPES
  return LIFECYCLE_TYPES.filter(type => type === `${DECISION_TYPE}.${name}`)
}

function parseSource(text: string | undefined): string | undefined {
  if (text !== undefined && parseIpNetwork(text) === undefined)
    throw invalid('source-ip takes an IP address, or a network such as 192.0.2.0/24')
  return text
}

function parseFingerprint(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[0-9a-f]{1,64}$/i.test(text))
    throw invalid('fingerprint takes the hex SHA-256 of a token, or the beginning of it')
  return text?.toLowerCase()
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/

function parseTime(name: RecordFilter, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = TIME.test(text)
    ? Date.parse(text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text)
    : Number.NaN
  if (!(ms >= 0)) throw invalid(`${name} takes a time in UTC, such as 2026-11-23T10:00:00Z`)
  return ms
}

function invalid(publicMessage: string): JetonError {
  return new JetonError('invalid_request', { publicMessage })
}
