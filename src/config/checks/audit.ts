import type { AuditLogConfig } from '../config.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'
import type { Files } from '../source/files.ts'
import { checkTable, isSameTable, type TableSection } from './table.ts'

type AuditLog = NonNullable<ConfigFile['audit']>[number]
type AuditEntry = readonly [number, AuditLog]

/** The type of log that each key but `type` goes with. */
const GOES_WITH = [
  ['path', 'file'],
  ['table', 'dynamodb'],
  ['region', 'dynamodb'],
  ['retentionDays', 'dynamodb'],
] as const

export interface AuditParts {
  files: Files
  report: Report
  /** The store's section, whose table no log may have. */
  store: TableSection | undefined
}

export function checkAudit(
  entries: readonly AuditEntry[],
  { files, report, store = {} }: AuditParts,
): AuditLogConfig[] {
  const seen: { log: AuditLogConfig; position: number }[] = []
  for (const [position, entry] of entries) {
    const here = report.at(position)
    const log = checkLog(entry, { files, report: here })
    if (log === undefined) continue
    const twin = seen.find(other => isSameLog(other.log, log))
    if (twin) here.problem(`is the same log as audit[${twin.position}]`)
    if (log.type === 'dynamodb' && isSameTable(log, store))
      here.problem('is the table of the store too: give the log one of its own', 'table')
    seen.push({ log, position })
  }
  return seen.map(({ log }) => log)
}

function checkLog(
  entry: AuditLog,
  { files, report }: { files: Files; report: Report },
): AuditLogConfig | undefined {
  const { type, path, retentionDays } = entry
  for (const [key, itsType] of GOES_WITH)
    if (entry[key] !== undefined && itsType !== type) report.problem(`goes with type: ${itsType} alone`, key)
  switch (type) {
    case 'stdout':
      return { type }
    case 'file':
      if (path === undefined) report.problem('is required with type: file', 'path')
      return path === undefined ? undefined : { type, path: files.absolute(path) }
    case 'dynamodb': {
      const place = checkTable(entry, report)
      return place && { type, ...place, ...(retentionDays !== undefined && { retentionDays }) }
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
