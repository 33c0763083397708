import type { AuditLogConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'
import { checkTable, isSameTable, type TableSection } from './table.ts'

type AuditSection = Sections['audit'][number][1]

/** The type of audit log that each key, `type` aside, belongs to. */
const TYPE_OF_KEY = [
  ['path', 'file'],
  ['table', 'dynamodb'],
  ['region', 'dynamodb'],
  ['retentionDays', 'dynamodb'],
] as const

export interface AuditCheck {
  files: Files
  report: Report
  /** The store's section, whose table no audit log may use. */
  store: TableSection | undefined
}

/** Returns the audit logs in which no required key is missing. No two of them may be the same. */
export function checkAudit(
  entries: Sections['audit'],
  { files, report, store = {} }: AuditCheck,
): AuditLogConfig[] {
  const logs: { log: AuditLogConfig; position: number }[] = []
  for (const [position, section] of entries) {
    const logReport = report.at(position)
    const log = checkLog(section, { files, report: logReport })
    if (log === undefined) continue
    const twin = logs.find(other => isSameLog(other.log, log))
    if (twin) logReport.problem(`is the same log as audit[${twin.position}]: leave one of them out`)
    if (log.type === 'dynamodb' && isSameTable(log, store))
      logReport.problem("is also the store's table: the audit log needs a table of its own", 'table')
    logs.push({ log, position })
  }
  return logs.map(({ log }) => log)
}

function checkLog(
  section: AuditSection,
  { files, report }: { files: Files; report: Report },
): AuditLogConfig | undefined {
  const { type, path, retentionDays } = section
  for (const [key, typeOfKey] of TYPE_OF_KEY)
    if (section[key] !== undefined && typeOfKey !== type)
      report.problem(`is only allowed with type: ${typeOfKey}`, key)
  switch (type) {
    case 'stdout':
      return { type }
    case 'file':
      if (path === undefined) report.problem('is required with type: file', 'path')
      return path === undefined ? undefined : { type, path: files.resolve(path) }
    case 'dynamodb': {
      const table = checkTable(section, report)
      return table && { type, ...table, ...(retentionDays !== undefined && { retentionDays }) }
    }
  }
}

function isSameLog(one: AuditLogConfig, other: AuditLogConfig): boolean {
  switch (one.type) {
    case 'stdout':
      return other.type === 'stdout'
    case 'file':
      return other.type === 'file' && other.path === one.path
    case 'dynamodb':
      return other.type === 'dynamodb' && isSameTable(one, other)
  }
}
