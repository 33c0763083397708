import { html, type SafeHtml } from '@remix-run/html-template'
import { isLifecycleType, type LifecycleRecord } from '../../audit/lifecycle-record.ts'
import { DECISION_TYPE } from '../../audit/parsed-record.ts'
import type { FoundRecord } from '../../audit/recent-records.ts'
import { filteredUrl } from '../pieces/filter-links.ts'
import { shownText } from '../pieces/shown-text.ts'
import { type Column, table } from '../pieces/table.ts'
import { timeAt } from '../pieces/time.ts'
import { type FoldedRecords, foundAt } from './folded-records.ts'
import { configurationText } from './lifecycle-text.ts'
import type { RecordFilters } from './record-filters.ts'
import {
  databaseLinks,
  principalLink,
  principalOf,
  RECORDS_URL,
  recordUrl,
  valueLink,
} from './record-links.ts'

const MAX_REASON_LENGTH = 240
const FINGERPRINT_LENGTH = 12
const SECOND_MS = 1000

export interface RecordsTable {
  readonly caption: string
  readonly lines: readonly FoldedRecords[]
  readonly filters: RecordFilters
  readonly now: number
  readonly empty: SafeHtml
}

/** Returns a table of records. What a record says leads to the others that say so. */
export function recordsTable({ caption, lines, filters, now, empty }: RecordsTable): SafeHtml {
  const columns: Column<FoldedRecords>[] = [
    { heading: 'Time', cell: ({ records: [found] }) => timeCell(found, now) },
    { heading: 'Decision', cell: line => decisionCell(line, filters) },
    {
      heading: 'Who',
      cell: ({ records: [{ record }] }) => principalLink(record, { filters }) ?? sourceOf(record),
    },
    { heading: 'Database / user', cell: ({ records: [{ record }] }) => databaseLinks(record, filters) },
    { heading: 'Grant', cell: ({ records: [{ record }] }) => grantCell(record, filters) },
    { heading: 'What else', cell: ({ records: [found] }) => detailCell(found) },
  ]
  return table({ caption, columns, rows: lines, idOf: ({ key }) => key, empty })
}

function timeCell(found: FoundRecord, now: number): SafeHtml {
  const at = foundAt(found)
  const clock = new Date(at).toISOString().slice(11, 23)
  return html`<a class="moment" href="${recordUrl(found)}">${clock}</a> <span class="ago">${timeAt(at, now)}</span>`
}

function decisionCell({ records }: FoldedRecords, filters: RecordFilters): SafeHtml {
  const [{ record, type }] = records
  if (type !== DECISION_TYPE) {
    const name = type.slice(`${DECISION_TYPE}.`.length)
    return badge(name, valueLink(name, { filters, set: { type: name } }))
  }
  const { decision, code, cached } = record
  const link = valueLink(`${decision}`, { filters, set: { decision } })
  const more = typeof code === 'string' ? valueLink(code, { filters, set: { code } }) : null
  const isNew = decision === 'vended' && records.some(each => each.record.cached === false)
  return html`${badge(decision, link)} ${more}${isNew ? 'a new token' : cached === true ? 'cached' : null}${countCell(records)}`
}

function badge(kind: unknown, content: SafeHtml): SafeHtml {
  return html`<span class="badge" data-kind="${String(kind)}">${content}</span>`
}

/** How many records the line stands for, with a link to each of them; or how many refusals a counting record does. */
function countCell(records: FoldedRecords['records']): SafeHtml | null {
  const [{ record, sortKey }] = records
  if (records.length === 1)
    return record.count === undefined
      ? null
      : html` <span class="count">counted ${shownText(record.count, 20)} times</span>`
  const second = Math.floor(foundAt({ sortKey }) / SECOND_MS) * SECOND_MS
  const url = filteredUrl(RECORDS_URL, {
    decision: 'vended',
    principal: principalOf(record.principal),
    database: record.database,
    user: record.user,
    grant: record.grant,
    from: new Date(second).toISOString(),
    to: new Date(second + SECOND_MS).toISOString(),
    each: 'yes',
  })
  return html` <a class="count" href="${url}">${records.length} times in this second</a>`
}

function sourceOf({ sourceIp, network, instance }: FoundRecord['record']): SafeHtml {
  return shownText(sourceIp ?? network ?? instance, 64)
}

function grantCell({ grant }: FoundRecord['record'], filters: RecordFilters): SafeHtml | undefined {
  return typeof grant === 'string' ? valueLink(grant, { filters, set: { grant } }) : undefined
}

function detailCell({ type, record }: FoundRecord): SafeHtml | undefined {
  if (isLifecycleType(type))
    return shownText(configurationText(record as unknown as LifecycleRecord), MAX_REASON_LENGTH)
  const { decision, fingerprint, reason } = record
  if (decision !== 'vended') return shownText(reason, MAX_REASON_LENGTH)
  if (typeof fingerprint !== 'string') return undefined
  const beginning = fingerprint.slice(0, FINGERPRINT_LENGTH)
  return html`token ${valueLink(beginning, { set: { fingerprint } })}`
}
