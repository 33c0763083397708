import type { Log } from '../telemetry/log.ts'
import type { AuditLog } from './audit-log.ts'

/** Logs the hash of the last record, for `jeton audit verify --expect-last`. Logs nothing if no sink has a hash chain. */
export function logHeadHash(
  auditLog: Pick<AuditLog, 'headHash'>,
  { log, event }: { log: Log; event: keyof typeof HEAD_HASH },
): void {
  const last = auditLog.headHash()
  if (last !== undefined) log.info({ event, last }, HEAD_HASH[event])
}

const HEAD_HASH = {
  audit_head: 'the hash of the last audit record so far',
  audit_closed: 'the audit log is closed; this is the hash of its last record',
} as const
