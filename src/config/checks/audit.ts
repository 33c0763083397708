import type { SinkConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import { needsAuditFile, type Purpose } from '../purpose.ts'
import type { Sections } from '../sections.ts'
import type { Files } from '../source/files.ts'
import { findAuditFileProblem, realTarget } from './audit-file.ts'
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
  purpose: Purpose
  /** The store's section, whose table no sink may use. */
  store: TableSection | undefined
  /** The configuration and the files that it names, as it names them: no sink may write to them. */
  inputs: readonly string[]
}

/** Returns the sinks in which no required key is missing. No two of them may be the same, and all must be writable. */
export async function checkAudit(
  entries: Sections['audit'],
  { files, report, purpose, store = {}, inputs }: AuditCheck,
): Promise<SinkConfig[]> {
  const sinks: { sink: SinkConfig; position: number }[] = []
  const inputPaths = inputs.map(files.resolve)
  for (const [position, section] of entries) {
    const sinkReport = report.at(position)
    const sink = checkSink(section, { files, report: sinkReport })
    if (sink === undefined) continue
    const problem = await findFileProblem(sink, { purpose, inputPaths })
    if (problem !== undefined) sinkReport.problem(problem, 'path')
    const twin = await findTwin(sink, sinks)
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

async function findFileProblem(
  sink: SinkConfig,
  { purpose, inputPaths }: { purpose: Purpose; inputPaths: readonly string[] },
): Promise<string | undefined> {
  if (sink.type !== 'file') return undefined
  if (inputPaths.includes(sink.path)) return 'is a file that jeton reads: what it appends would break it'
  return needsAuditFile(purpose, sink.path) ? findAuditFileProblem(sink.path) : undefined
}

/** Two paths may lead to one file by links. */
async function findTwin<T extends { sink: SinkConfig }>(
  sink: SinkConfig,
  others: readonly T[],
): Promise<T | undefined> {
  const resolved = async (one: SinkConfig) =>
    one.type === 'file' ? { ...one, path: await realTarget(one.path) } : one
  for (const other of others)
    if (other.sink.type === sink.type && isSameSink(await resolved(other.sink), await resolved(sink)))
      return other
  return undefined
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
