import type { Log } from '../telemetry/log.ts'
import type { AuditLog } from './audit-log.ts'

const SENTENCES = { audit_head: 'the audit log so far', audit_closed: 'the audit log ends' } as const

/** Writes the hash of the last record to the program's log, for `jeton audit verify --expect-last`. */
export function logHeadHash(
  auditLog: AuditLog,
  { log, event }: { log: Log; event: keyof typeof SENTENCES },
): void {
  const last = auditLog.headHash()
  if (last !== undefined) log.info({ event, last }, SENTENCES[event])
}
