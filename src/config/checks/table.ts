import { partitionOfRegion } from '../../rds/partitions.ts'
import type { TableConfig } from '../config.ts'
import type { Report } from '../problems.ts'

/** The keys that a store and a sink with `type: dynamodb` have in common. */
export interface TableSection {
  readonly table?: string
  readonly region?: string
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html */
const TABLE_NAME = /^[a-zA-Z0-9_.-]{3,255}$/

/** Returns undefined if there is no name. Rejects ARNs: `isSameTable` compares names, and a table must have only one. */
export function checkTable({ table, region }: TableSection, report: Report): TableConfig | undefined {
  if (table === undefined) report.problem('is required with type: dynamodb', 'table')
  else if (!TABLE_NAME.test(table))
    report.problem('must be the name of a table, not its ARN: 3 to 255 letters, digits, _, . and -', 'table')
  if (region !== undefined && !partitionOfRegion(region))
    report.problem('is not an AWS region, such as us-east-1', 'region')
  return table === undefined ? undefined : { table, ...(region !== undefined && { region }) }
}

/** Whether two sections may mean the same table. If only one has a region, the other's default may be the same. */
export function isSameTable(one: TableSection, other: TableSection): boolean {
  if (one.table === undefined || one.table !== other.table) return false
  return one.region === undefined || other.region === undefined || one.region === other.region
}
