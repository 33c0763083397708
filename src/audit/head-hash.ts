import type { Log } from '../telemetry/log.ts'
import type { AuditLog } from './audit-log.ts'

const SENTENCES = {
  audit_head: 'the last hash of the audit log so far',
  audit_closed: 'the audit log ends with this hash',
} as const

/** Logs the hash of the last record, for `jeton audit verify --expect-last`. Logs nothing if no sink has a hash chain. */
export function logHeadHash(
  auditLog: AuditLog,
  { log, event }: { log: Log; event: keyof typeof SENTENCES },
): void {
  const last = auditLog.headHash()
  if (last !== undefined) log.info({ event, last }, SENTENCES[event])
}
