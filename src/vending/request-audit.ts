import { randomUUID } from 'node:crypto'
import type { AuditLog } from '../audit/audit-log.ts'
import type { OnWritten } from '../audit/pending-write.ts'
import { type AuditRecord, renderRecord } from '../audit/record.ts'
import { type KnownMembers, renderKnown, renderVend } from '../audit/vend-record.ts'
import { asJetonError, type JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createIsoMilliseconds } from '../lib/iso-time.ts'
import type { PrincipalAccess } from './principal-access.ts'

/** The audit record of one request in the making: it gathers what becomes known, and is written when the request ends. */
export interface RequestAudit {
  /** The id of the record. */
  readonly id: string
  add(fields: Partial<AuditRecord>): void
  /** Adds the principal. Whether a grant entitles it to anything decides whose floods its records are counted with. */
  identify(access: Pick<PrincipalAccess, 'auditedPrincipal' | 'countedGrant'>): void
  /** Ends as vended. Resolves once the record is in every sink; rejects as `AuditLog.write` does. */
  recordVend(): Promise<void>
  /**
   * Does the same, and calls `onRecorded` in place of settling a promise, never before it returns. `known` has the text of the
   * members that were added; without it the record is rendered from them.
   */
  recordRepeat(known: Omit<KnownMembers, 'instance'> | undefined, onRecorded: OnWritten): void
  /** Ends as listed: the principal was told what it may have. Never throws and never waits for a sink. */
  recordListing(): void
  /**
   * Ends as refused, or as failed if the fault is not the caller's; `write` records it. In between the request is answered:
   * the reply may name the record, and must not wait until that is rendered. Only the first failure is recorded. A request
   * that is recorded already and then fails gets a second record, with an id of its own.
   */
  admitFailure(cause: unknown): AdmittedFailure
}

/** A failure of a request whose record is decided on, and not rendered yet. */
export interface AdmittedFailure {
  /** The error for the caller. */
  readonly error: JetonError
  /** The id of the record that will stand for it, perhaps one that counts a flood; undefined if it has no record of its own. */
  readonly recordId: string | undefined
  /** Whom the record names: after a reload during the request, whom the new configuration takes the caller for. */
  readonly principal: AuditRecord['principal']
  /** Renders and writes the record. Never waits for a sink. */
  write(): void
}

export interface RequestAuditParts {
  auditLog: Pick<AuditLog, 'write' | 'writeLine' | 'admitRefusal'>
  clock: Clock
  /** The name of this process in records. */
  instance: string
  /** Called with the record of each request that has ended; for metrics. */
  onEnded?: (record: AuditRecord) => void
}

/** Where a request comes from. */
export type RequestOrigin = Pick<AuditRecord, 'traceId' | 'sourceIp' | 'userAgent'> & { requestId: string }

type MutableRecord = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] }

export type BeginAudit = (origin: RequestOrigin) => RequestAudit

/** Returns the function that begins the audit of a request. */
export function createRequestAudits({ auditLog, clock, instance, onEnded }: RequestAuditParts): BeginAudit {
  const formatTime = createIsoMilliseconds()
  const instanceText = renderKnown({ instance })
  return origin => {
    const record = emptyRecord({ ...origin, instance })
    let isRecorded = false
    let isFailureRecorded = false
    let identified: Pick<PrincipalAccess, 'countedGrant'> | undefined

    function admit(
      refusal: MutableRecord,
      findReason: () => string | undefined = () => undefined,
    ): Pick<AdmittedFailure, 'recordId' | 'write'> {
      const admitted = auditLog.admitRefusal(refusal, { entitledBy: identified?.countedGrant() })
      return {
        recordId: admitted?.id,
        write() {
          // to find it out may take long, and of a flood most are counted in another record
          if (admitted?.id === refusal.id) refusal.reason = findReason()
          admitted?.write()
          onEnded?.(refusal)
        },
      }
    }

    function admitFailure(cause: unknown): AdmittedFailure {
      const error = asJetonError(cause)
      const { principal } = record
      if (isFailureRecorded) return { error, principal, recordId: undefined, write() {} }
      isFailureRecorded = true
      const { code, status, publicMessage } = error
      const id = isRecorded ? randomUUID() : record.id
      const decision = status < 500 ? 'refused' : 'failed'
      const refusal = { ...record, id, time: formatTime(clock.now()), decision, code } as const
      const { recordId, write } = admit(refusal, () => error.reason ?? publicMessage)
      return { error, principal, recordId, write }
    }

    function beginVend(): void {
      record.decision = 'vended'
      record.time = formatTime(clock.now())
      // even if the write fails, one of the sinks may have the record
      isRecorded = true
    }

    return {
      id: record.id,
      add(fields) {
        Object.assign(record, fields)
      },
      identify(access) {
        record.principal = access.auditedPrincipal
        identified = access
      },
      recordListing() {
        isRecorded = true
        admit({ ...record, time: formatTime(clock.now()), decision: 'listed' }).write()
      },
      async recordVend() {
        beginVend()
        await auditLog.write(record)
        onEnded?.(record)
      },
      recordRepeat(known, onRecorded) {
        beginVend()
        const line =
          known && instanceText !== undefined && renderVend(record, { ...known, instance: instanceText })
        auditLog.writeLine(line || renderRecord(record), error => {
          if (!error) onEnded?.(record)
          onRecorded(error)
        })
      },
      admitFailure,
    }
  }
}

/**
 * Returns a record with all members from the beginning, because an object that grows member by member is slow. The id is not
 * the request's, which a proxy may have set and used twice.
 */
function emptyRecord({
  requestId,
  traceId,
  sourceIp,
  userAgent,
  instance,
}: RequestOrigin & { instance: string }): MutableRecord {
  return {
    id: randomUUID(),
    time: '',
    requestId,
    traceId,
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
