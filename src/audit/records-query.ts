import { printableJson } from '../lib/printable.ts'
import type { ParsedRecord } from './parsed-record.ts'
import { type AuditQuery, asRecorded, compileQuery } from './query.ts'

/** The conditions of a page that shows records. */
export interface RecordsQuery extends AuditQuery {
  /** Any of these decisions. */
  readonly decisions?: readonly string[] | undefined
  /** How the reason begins. */
  readonly reason?: string | undefined
}

const EXACT = ['grant', 'database', 'user', 'code', 'decision'] as const

/** Returns a predicate for the records that match. */
export function compileRecordsQuery(query: RecordsQuery): (parsed: ParsedRecord) => boolean {
  const { decisions, reason } = query
  const matches = compileQuery(query)
  return parsed =>
    matches(parsed) &&
    (decisions === undefined || decisions.includes(parsed.record.decision)) &&
    (reason === undefined || String(parsed.record.reason ?? '').startsWith(reason))
}

/**
 * Returns texts of which one stands in every line that matches a query, as jeton writes lines: whoever searches for them parses
 * only what may match. Of several conditions the one that fewest lines meet decides. Undefined if the query has none of that kind.
 */
export function queryTexts(query: RecordsQuery): readonly string[] | undefined {
  const { id, fingerprint, identity, principal, reason, decisions, types } = query
  if (id !== undefined) return [printableJson(id)]
  if (fingerprint !== undefined) return [`"fingerprint":"${fingerprint}`]
  if (identity !== undefined) return [printableJson(identity).slice(1)]
  if (principal) {
    const { issuer, subject } = asRecorded(principal)
    return [memberText('principal', { issuer, subject }).slice(0, -1)]
  }
  if (reason !== undefined) return [memberText('reason', reason).slice(0, -1)]
  for (const member of EXACT) {
    const value = query[member]
    if (value !== undefined) return [memberText(member, value)]
  }
  return (
    decisions?.map(decision => memberText('decision', decision)) ??
    types?.map(type => memberText('type', type))
  )
}

/** As it stands in a line: `"grant":"orders"`. */
function memberText(name: string, value: unknown): string {
  return printableJson({ [name]: value }).slice(1, -1)
}
