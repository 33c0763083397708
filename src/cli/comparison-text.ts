import { countText } from '../lib/count-text.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { createTextTable } from '../lib/text-table.ts'
import type { Change, ChangedCaller, Comparison } from '../vending/comparison/compare-access.ts'
import type { RecordedCallers } from '../vending/comparison/recorded-callers.ts'

const COLUMNS = ['PRINCIPAL', 'DATABASE/USER', 'REQUESTS', 'LAST', 'GRANT', 'WHY'] as const
/** PRINCIPAL and GRANT may be cut on a terminal. */
const FLEXIBLE = [0, 4]
const MAX_CELL_LENGTH = 100
const NONE = '-'

const SECTIONS = [
  { kind: 'loses', title: 'would lose what they had' },
  { kind: 'unknown', title: 'of whom it cannot be said: the record lacks what would tell' },
  { kind: 'gains', title: 'would get what they were denied' },
  { kind: 'changes', title: 'would keep it by another grant or role session' },
] as const

/** Returns the lines of a comparison for people: what was looked at, a table for each kind of change, and what all others would. */
export function comparisonText(
  { callers, records, from, to, omitted }: RecordedCallers,
  { comparison, width }: { comparison: Comparison; width: number | undefined },
): string[] {
  const { changed, severalUsers } = comparison
  const span = from === undefined ? '' : `, from ${from} to ${to}`
  const sections = SECTIONS.flatMap(({ kind, title }) => {
    const rows = changed.filter(({ change }) => change.kind === kind).map(rowOf)
    const table = createTextTable({ header: COLUMNS, flexible: FLEXIBLE, width })
    return rows.length === 0
      ? []
      : ['', `${countText(rows.length, 'caller')} ${title}:`, ...table.linesOf(rows)]
  })
  return [
    `compared with ${countText(records, 'record')} of ${countText(callers.length, 'caller')}${span}`,
    ...(sections.length > 0
      ? sections
      : [`all${omitted > 0 ? ' that were looked at' : ''} would be decided as before`]),
    ...(severalUsers > 0 ? ['', severalUsersText(severalUsers)] : []),
  ]
}

function severalUsersText(severalUsers: number): string {
  return `${countText(severalUsers, 'caller')} may have several users of the database, and must name one; records do not show who does`
}

function rowOf({ caller, change }: ChangedCaller): string[] {
  const { principal, subject, database, user, vends, refusals, last, grant } = caller
  const requests = [
    ...(vends > 0 || refusals === 0 ? [`${vends} vended`] : []),
    ...(refusals > 0 ? [`${refusals} denied`] : []),
  ]
  return [
    cell(`${principal.issuer}/${subject}`),
    cell(`${database}/${user ?? NONE}`),
    requests.join(' '),
    last,
    cell(grant ?? NONE),
    whyOf(change),
  ]
}

function whyOf(change: Change): string {
  switch (change.kind) {
    case 'gains':
      return `grant ${change.grant}: ${change.users.map(escapeText).join(', ')}`
    case 'changes':
      return `grant ${change.grant}${change.identity === undefined ? '' : `, ${change.identity}`}`
    default:
      return change.reason
  }
}

function cell(text: string): string {
  return shorten(escapeText(text), MAX_CELL_LENGTH)
}
