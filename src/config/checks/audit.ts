import type { AuditLogConfig } from '../config.ts'
import type { Files } from '../files.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'

type AuditEntry = readonly [number, NonNullable<ConfigFile['audit']>[number]]

export function checkAudit(
  entries: readonly AuditEntry[],
  { files, report }: { files: Files; report: Report },
): AuditLogConfig[] {
  const seen = new Map<string, number>()
  return entries.flatMap(([position, { type, path }]): AuditLogConfig[] => {
    const here = report.at(position)
    const log = type === 'stdout' ? stdoutLog(path, here) : fileLog(path, { files, report: here })
    if (log === undefined) return []
    const told = JSON.stringify(log)
    const twin = seen.get(told)
    if (twin === undefined) seen.set(told, position)
    else here.problem(`is the same log as audit[${twin}]`)
    return [log]
  })
}

function stdoutLog(path: string | undefined, report: Report): AuditLogConfig {
  if (path !== undefined) report.problem('goes with type: file alone', 'path')
  return { type: 'stdout' }
}

function fileLog(
  path: string | undefined,
  { files, report }: { files: Files; report: Report },
): AuditLogConfig | undefined {
  if (path !== undefined) return { type: 'file', path: files.absolute(path) }
  report.problem('is required with type: file', 'path')
  return undefined
}
