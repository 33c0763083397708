import type { Traces } from '../telemetry/traces.ts'
import type { AuditLog } from './audit-log.ts'

/** Returns an audit log that makes a span of the wait for each record of a vend; `auditLog` itself without traces. */
export function traceAuditLog(auditLog: AuditLog, traces: Traces | undefined): AuditLog {
  if (!traces) return auditLog
  return {
    ...auditLog,
    write: record => traces.inSpan('jeton.audit', () => auditLog.write(record)),
    writeLine(line, onWritten) {
      const end = traces.begin('jeton.audit')
      auditLog.writeLine(line, error => {
        end(error)
        onWritten(error)
      })
    },
  }
}
