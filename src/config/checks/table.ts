import { partitionOfRegion } from '../../rds/partitions.ts'
import type { TableConfig } from '../config.ts'
import type { Report } from '../report.ts'

/** What is asked of a section of `type: dynamodb`, whichever it is. */
export interface TableSection {
  readonly table?: string
  readonly region?: string
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const TABLE_NAME = /^[a-zA-Z0-9_.-]{3,255}$/

/** An ARN is refused: one table by two names could not be told from two. */
export function checkTable({ table, region }: TableSection, report: Report): TableConfig | undefined {
  if (table === undefined) report.problem('is required with type: dynamodb', 'table')
  else if (!TABLE_NAME.test(table))
    report.problem(
      'must be the name of a table, not its ARN: letters, digits, _, . and -, 3 to 255 of them',
      'table',
    )
  if (region !== undefined && !partitionOfRegion(region))
    report.problem('is no region of AWS, as us-east-1 is one', 'region')
  return table === undefined ? undefined : { table, ...(region !== undefined && { region }) }
}

/** Where only one of them names its region, the environment may name the same for the other. */
export function isSameTable(one: TableSection, other: TableSection): boolean {
  if (one.table === undefined || one.table !== other.table) return false
  return one.region === undefined || other.region === undefined || one.region === other.region
}
