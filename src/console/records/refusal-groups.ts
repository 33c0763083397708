import type { FoundRecord } from '../../audit/recent-records.ts'
import { addToGroup } from '../../lib/maps.ts'
import { plainText } from '../pieces/shown-text.ts'
import { foundAt } from './folded-records.ts'
import { principalOf } from './record-links.ts'

const MAX_SUBJECTS = 3
const MAX_KIND_LENGTH = 200
/** `nearest grant GRANT: NAME is …`, of which the name is the configuration's and what follows the caller's. */
const NEAREST = /^nearest grant ([\w.-]+): (issuer|database|user|subject|claim [^ ]+) is /
/** Where what differs from one refusal to the next begins: a quotation, a number, an address. */
const VARIABLE = /["'(]|\d|\S*(?:\/\/|@)/

/** Refusals for the same reason. */
export interface RefusalGroup {
  readonly code: string
  readonly decision: string
  /** What their reasons begin with, and so the filter that finds them. */
  readonly reason: string
  /** The grant that came nearest, and the first condition of it that missed. */
  readonly nearest: { readonly grant: string; readonly missed: string } | undefined
  /** How many requests: a counting record stands for as many as it counts. */
  readonly count: number
  /** In milliseconds; a counting record begins at its `since`. */
  readonly first: number
  readonly last: number
  /** Some of those who were refused, and how many others there are. */
  readonly principals: readonly string[]
  readonly otherPrincipals: number
  readonly newest: FoundRecord
}

/** Returns refusals by reason, the most frequent first. */
export function groupRefusals(records: readonly FoundRecord[]): RefusalGroup[] {
  const groups = new Map<string, FoundRecord[]>()
  for (const found of records) {
    const { decision, code } = found.record
    addToGroup(groups, { key: JSON.stringify([decision, code, kindOf(found)]), value: found })
  }
  return [...groups.values()].flatMap(groupOf).sort((a, b) => b.count - a.count)
}

/** Returns the beginning of a reason that those of one kind share. */
function kindOf({ record }: FoundRecord): string {
  const reason = typeof record.reason === 'string' ? record.reason : ''
  const nearest = NEAREST.exec(reason)
  if (nearest) return nearest[0].trimEnd()
  const variable = VARIABLE.exec(reason)?.index ?? reason.length
  return reason.slice(0, Math.min(variable, MAX_KIND_LENGTH)).trimEnd()
}

function groupOf(records: readonly FoundRecord[]): RefusalGroup[] {
  const [newest] = [...records].sort((a, b) => foundAt(b) - foundAt(a))
  if (!newest) return []
  const reason = kindOf(newest)
  const [, grant, missed] = NEAREST.exec(`${reason} `) ?? []
  const principals = [...new Set(records.map(({ record }) => principalOf(record.principal)))].filter(
    name => name !== undefined,
  )
  return [
    {
      code: plainText(newest.record.code),
      decision: plainText(newest.record.decision),
      reason,
      nearest: grant === undefined || missed === undefined ? undefined : { grant, missed },
      count: records.reduce((sum, found) => sum + countOf(found), 0),
      first: Math.min(...records.map(sinceOf)),
      last: foundAt(newest),
      principals: principals.slice(0, MAX_SUBJECTS),
      otherPrincipals: Math.max(0, principals.length - MAX_SUBJECTS),
      newest,
    },
  ]
}

function countOf({ record }: FoundRecord): number {
  const { count } = record
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1
}

function sinceOf(found: FoundRecord): number {
  const since = Date.parse(String(found.record.since))
  return Number.isNaN(since) ? foundAt(found) : Math.min(since, foundAt(found))
}
