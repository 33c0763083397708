import { randomUUID } from 'node:crypto'
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditRecord } from '../audit/record.ts'
import { asJetonError, type JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { isoMilliseconds } from '../lib/iso-time.ts'

/** What becomes known of one request, step by step, and the one record it ends in. */
export interface RequestAudit {
  /** The id of the record. */
  readonly id: string
  add(fields: Partial<AuditRecord>): void
  /** Ends as vended: resolves once the record is in every log. */
  recordVend(): Promise<void>
  /** Ends as refused or failed, unless it ended so before; gives the error for the caller. Never waits for a log. */
  recordFailure(cause: unknown): JetonError
}

export interface RequestAuditParts {
  auditLog: AuditLog
  clock: Clock
  /** Which of several servers this is. */
  instance: string
  /** Told of each request's end; for metrics. */
  onEnded?: (record: AuditRecord) => void
}

export type RequestOrigin = Pick<AuditRecord, 'sourceIp' | 'userAgent'> & { requestId: string }

type Known = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] }

export type BeginAudit = (asker: RequestOrigin) => RequestAudit

/** Gives the function that begins the trail of each request. */
export function createRequestAudits({ auditLog, clock, instance, onEnded }: RequestAuditParts): BeginAudit {
  const timeText = isoMilliseconds()
  return asker => {
    const known = emptyRecord({ ...asker, instance })
    let isVended = false
    let isOver = false
    return {
      id: known.id,
      add(fields) {
        Object.assign(known, fields)
      },
      async recordVend() {
        known.decision = 'vended'
        known.time = timeText(clock.now())
        // from here on a log may have it
        isVended = true
        await auditLog.write(known)
        onEnded?.(known)
      },
      recordFailure(cause) {
        const error = asJetonError(cause)
        if (isOver) return error
        isOver = true
        const { code, status, reason, publicMessage } = error
        const ended: AuditRecord = {
          ...known,
          // what stands in a log as vended may yet fail to leave: then there are two records
          ...(isVended && { id: randomUUID() }),
          time: timeText(clock.now()),
          decision: status < 500 ? 'refused' : 'failed',
          code,
          reason: reason ?? publicMessage,
        }
        auditLog.writeRefusal(ended)
        onEnded?.(ended)
        return error
      },
    }
  }
}

/**
 * With all of its members from the beginning: objects that grow one by one are slow. Its id is its own: that of a request may
 * come from a proxy, and might come twice.
 */
function emptyRecord({
  requestId,
  sourceIp,
  userAgent,
  instance,
}: RequestOrigin & { instance: string }): Known {
  return {
    id: randomUUID(),
    time: '',
    requestId,
    decision: 'failed',
    code: undefined,
    reason: undefined,
    principal: undefined,
    grant: undefined,
    database: undefined,
    user: undefined,
    identity: undefined,
    fingerprint: undefined,
    cached: undefined,
    issuedAt: undefined,
    expiresAt: undefined,
    refused: undefined,
    sourceIp,
    userAgent,
    instance,
  }
}
