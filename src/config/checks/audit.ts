import type { SinkConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'
import { checkTable, isSameTable, type TableSection } from './table.ts'

type SinkSection = Sections['audit'][number][1]

/** The type of sink that each key, `type` aside, belongs to. */
const TYPE_OF_KEY = [
  ['path', 'file'],
  ['table', 'dynamodb'],
  ['region', 'dynamodb'],
  ['retentionDays', 'dynamodb'],
] as const

export interface AuditCheck {
  files: Files
  report: Report
  /** The store's section, whose table no sink may use. */
  store: TableSection | undefined
}

/** Returns the sinks in which no required key is missing. No two of them may be the same. */
export function checkAudit(
  entries: Sections['audit'],
  { files, report, store = {} }: AuditCheck,
): SinkConfig[] {
  const sinks: { sink: SinkConfig; position: number }[] = []
  for (const [position, section] of entries) {
    const sinkReport = report.at(position)
    const sink = checkSink(section, { files, report: sinkReport })
    if (sink === undefined) continue
    const twin = sinks.find(other => isSameSink(other.sink, sink))
    if (twin) sinkReport.problem(`is the same sink as audit[${twin.position}]: leave one of them out`)
    if (sink.type === 'dynamodb' && isSameTable(sink, store))
      sinkReport.problem("is also the store's table: the sink needs a table of its own", 'table')
    sinks.push({ sink, position })
  }
  return sinks.map(({ sink }) => sink)
}

function checkSink(
  section: SinkSection,
  { files, report }: { files: Files; report: Report },
): SinkConfig | undefined {
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

function isSameSink(one: SinkConfig, other: SinkConfig): boolean {
  switch (one.type) {
    case 'stdout':
      return other.type === 'stdout'
    case 'file':
      return other.type === 'file' && other.path === one.path
    case 'dynamodb':
      return other.type === 'dynamodb' && isSameTable(one, other)
  }
}
