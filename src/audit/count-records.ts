import { isJsonObject } from '../lib/json.ts'
import type { ParsedRecord } from './parsed-record.ts'

/** What records can be counted by: how each is read from a record, whose members may have any type. */
const FIELDS = {
  principal: ({ record }) => principalOf(record),
  issuer: ({ record }) => memberOf(record.principal, 'issuer'),
  subject: ({ record }) => memberOf(record.principal, 'subject'),
  grant: ({ record }) => record.grant,
  database: ({ record }) => record.database,
  user: ({ record }) => record.user,
  decision: ({ record }) => record.decision,
  code: ({ record }) => record.code,
  reason: ({ record }) => record.reason,
  source: ({ record }) => record.sourceIp ?? record.network,
  agent: ({ record }) => record.userAgent,
  instance: ({ record }) => record.instance,
  identity: ({ record }) => record.identity,
  cached: ({ record }) => record.cached,
  type: ({ type }) => type,
  day: ({ sortKey }) => sortKey.slice(0, 'yyyy-mm-dd'.length),
  hour: ({ sortKey }) => `${sortKey.slice(0, 'yyyy-mm-ddThh'.length)}:00Z`,
  minute: ({ sortKey }) => `${sortKey.slice(0, 'yyyy-mm-ddThh:mm'.length)}Z`,
} as const satisfies Record<string, (parsed: ParsedRecord) => unknown>

/** The name of what records can be counted by. */
export type CountField = keyof typeof FIELDS
export const COUNT_FIELDS = Object.keys(FIELDS) as readonly CountField[]

/** How many records there were with the same values. */
export interface RecordCount {
  /** In the order of the fields; undefined where the records have none. */
  readonly values: readonly (string | undefined)[]
  readonly count: number
}

/** Counts of records by their values. */
export interface RecordCounts {
  /** The most first, and those of one count in the order of their values. */
  readonly counts: readonly RecordCount[]
  /** Of records whose values came first when there were MAX_COUNTS already. */
  readonly others: number
  /** How many records stand for several, and how many these are. */
  readonly counting: { readonly records: number; readonly count: number }
}

/** How many different values are told apart. Each of them is counted exactly; a later one is among the others. */
export const MAX_COUNTS = 100_000
/** Of all values together, in UTF-16 units. */
const MAX_LENGTH = 32 * 1024 * 1024

export interface RecordCounter {
  add(record: ParsedRecord): void
  result(): RecordCounts
}

/** Returns a counter by these fields. A counting record counts for as many as it says. `maxCounts` is for tests. */
export function createRecordCounter(fields: readonly CountField[], maxCounts = MAX_COUNTS): RecordCounter {
  const readers = fields.map(field => FIELDS[field] as (parsed: ParsedRecord) => unknown)
  const counts = new Map<string, { values: (string | undefined)[]; count: number }>()
  const counting = { records: 0, count: 0 }
  let [others, length] = [0, 0]
  return {
    add(parsed) {
      const values = readers.map(read => textIn(read(parsed)))
      const count = countOf(parsed)
      const key = JSON.stringify(values)
      const known = counts.get(key)
      if (known) known.count += count
      else if (counts.size < maxCounts && length < MAX_LENGTH) {
        counts.set(key, { values, count })
        length += key.length
      } else others += count
      if (parsed.record.count === undefined) return
      counting.records++
      counting.count += count
    },
    result: () => ({ counts: [...counts.values()].sort(mostFirst), others, counting }),
  }
}

function mostFirst(a: RecordCount, b: RecordCount): number {
  if (a.count !== b.count) return b.count - a.count
  const [first, second] = [a, b].map(({ values }) => JSON.stringify(values)) as [string, string]
  return first < second ? -1 : first > second ? 1 : 0
}

/** A record that was damaged counts for itself. */
function countOf({ record: { count } }: ParsedRecord): number {
  return count !== undefined && Number.isSafeInteger(count) && count > 0 ? count : 1
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

function memberOf(value: unknown, name: string): unknown {
  return isJsonObject(value) ? value[name] : undefined
}

function principalOf({ principal }: ParsedRecord['record']): string | undefined {
  const [issuer, subject] = [textIn(memberOf(principal, 'issuer')), textIn(memberOf(principal, 'subject'))]
  return issuer === undefined || subject === undefined ? undefined : `${issuer}/${subject}`
}
