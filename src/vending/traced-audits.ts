import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditRecord } from '../audit/record.ts'
import { traceAuditLog } from '../audit/traced-audit-log.ts'
import type { SpanFacts, Traces } from '../telemetry/traces.ts'
import { type BeginAudit, createRequestAudits, type RequestAuditParts } from './request-audit.ts'

export interface TracedAuditParts extends Omit<RequestAuditParts, 'auditLog'> {
  auditLog: AuditLog
  /** Default: no spans. */
  traces: Traces | undefined
}

/** Does what `createRequestAudits` does. What becomes known of a request is also said in its span. */
export function createTracedAudits({ traces, auditLog, ...parts }: TracedAuditParts): BeginAudit {
  const begin = createRequestAudits({ ...parts, auditLog: traceAuditLog(auditLog, traces) })
  if (!traces) return begin
  return origin => {
    const audit = begin(origin)
    // now, because what calls back later may be about several requests
    const addFacts = traces.factsOfRequest()
    addFacts({ 'jeton.audit_id': audit.id })
    let known: Partial<AuditRecord> = {}
    return {
      ...audit,
      add(fields) {
        known = { ...known, ...fields }
        addFacts(factsOf(known))
        audit.add(fields)
      },
      identify(access) {
        addFacts({ 'jeton.issuer': access.auditedPrincipal.issuer })
        audit.identify(access)
      },
      admitFailure(cause) {
        const failure = audit.admitFailure(cause)
        addFacts({ 'jeton.code': failure.error.code })
        return failure
      },
    }
  }
}

/** What callers ask for, and may make up, is not said before it is granted. */
function factsOf({ grant, database, user, cached }: Partial<AuditRecord>): SpanFacts {
  if (grant === undefined) return {}
  return { 'jeton.grant': grant, 'jeton.database': database, 'jeton.user': user, 'jeton.cached': cached }
}
