import type { FoundRecord } from '../audit/recent-records.ts'
import { isTooDeep } from '../authentication/claims-depth.ts'
import { isJsonObject } from '../lib/json.ts'

/** What the fields of the page Explain begin with; empty texts for what is not known. */
export interface ExplainPrefill {
  /** As JSON. */
  readonly claims: string
  readonly issuer: string
  readonly database: string
  readonly user: string
  /** The record that it comes from, and its time. */
  readonly record?: { readonly id: string; readonly at: number }
}

export const NO_PREFILL: ExplainPrefill = { claims: '', issuer: '', database: '', user: '' }

/** Returns who a record is about and what it asked for, as far as the record has that. Expects members of any type. */
export function prefillOf({ record }: FoundRecord): ExplainPrefill {
  const { id, time, principal, database, user }: Record<string, unknown> = { ...record }
  const { issuer, subject, claims } = isJsonObject(principal) ? principal : {}
  const known = isJsonObject(claims) && !isTooDeep(claims) ? claims : {}
  return {
    claims: typeof subject === 'string' ? JSON.stringify({ sub: subject, ...known }, undefined, 2) : '',
    issuer: textOf(issuer),
    database: textOf(database),
    user: textOf(user),
    record: { id: textOf(id), at: Date.parse(textOf(time)) },
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
