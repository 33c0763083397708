import { html, type SafeHtml } from '@remix-run/html-template'
import type { FoundRecord } from '../../audit/recent-records.ts'
import type { AuditRecord } from '../../audit/record.ts'
import { CONSOLE_PATH } from '../layout.ts'
import { filteredUrl, filterLink } from '../pieces/filter-links.ts'
import { shownText } from '../pieces/shown-text.ts'
import { principalText, type RecordFilters } from './record-filters.ts'

/** Where records are listed, and below it each of them. */
export const RECORDS_URL = `${CONSOLE_PATH}/records`
const MAX_LENGTH = 80

/** Returns the link of one record. `at` says where it was found: it is found there again at once, if it is still there. */
export function recordUrl({ record: { id }, bookmark }: FoundRecord): string {
  return filteredUrl(`${RECORDS_URL}/${encodeURIComponent(id)}`, { at: bookmark })
}

/** Returns the link of the page that explains a refusal, with what its record says filled in. Nothing of that is in the link. */
export function explainUrl({ record: { id }, bookmark }: FoundRecord): string {
  return filteredUrl(`${CONSOLE_PATH}/explain`, { record: id, at: bookmark })
}

export interface ValueLink {
  /** Those that are set already, and stay. */
  readonly filters?: RecordFilters
  readonly set: RecordFilters
  /** How much of the text is shown, in UTF-16 units; default 80. */
  readonly maxLength?: number
}

/** Returns a text that leads to the records which have it. */
export function valueLink(text: string, { filters = {}, set, maxLength = MAX_LENGTH }: ValueLink): SafeHtml {
  return filterLink(shownText(text, maxLength), { path: RECORDS_URL, filters, set })
}

/** Returns who a record is about, leading to all of theirs; undefined if it names nobody. */
export function principalLink(
  { principal }: AuditRecord,
  options?: Omit<ValueLink, 'set'>,
): SafeHtml | undefined {
  const name = principalOf(principal)
  return name === undefined ? undefined : valueLink(name, { ...options, set: { principal: name } })
}

/** Returns a principal of a record as filters name it; undefined if it is none. Expects any value. */
export function principalOf(principal: AuditRecord['principal']): string | undefined {
  const { issuer, subject }: { issuer?: unknown; subject?: unknown } = principal ?? {}
  return typeof issuer === 'string' && typeof subject === 'string'
    ? principalText({ issuer, subject })
    : undefined
}

/** Returns the database and the user of a record, each leading to its records; undefined if it names no database. */
export function databaseLinks({ database, user }: AuditRecord, filters: RecordFilters): SafeHtml | undefined {
  if (typeof database !== 'string') return undefined
  const ofDatabase = valueLink(database, { filters, set: { database } })
  if (typeof user !== 'string') return ofDatabase
  return html`${ofDatabase} / ${valueLink(user, { filters, set: { database, user } })}`
}
