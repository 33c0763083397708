import type { AuditLog } from '../../src/audit/audit-log.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { Principal } from '../../src/authentication/principal.ts'
import { compileGrants } from '../../src/authorization/compiled-grants.ts'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { JetonError } from '../../src/errors.ts'
import type { Database } from '../../src/rds/database.ts'
import { createPrincipalAccess, type PrincipalAccess } from '../../src/vending/principal-access.ts'
import { createRequestAudits, type RequestAudit } from '../../src/vending/request-audit.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'

/** An audit log in memory. Vends wait `delayMs` to be written; `fault` is what they fail with. */
export interface FakeAuditLog extends AuditLog {
  readonly records: AuditRecord[]
  delayMs: number
  fault: JetonError | undefined
}

export function fakeAuditLog(clock: VirtualClock): FakeAuditLog {
  const records: AuditRecord[] = []
  return {
    records,
    delayMs: 0,
    fault: undefined,
    async write(record) {
      await clock.sleepUntil(clock.now() + this.delayMs)
      if (this.fault) throw this.fault
      records.push({ ...record })
    },
    writeLine(line, onWritten) {
      this.write(JSON.parse(line)).then(() => onWritten(), onWritten)
    },
    admitRefusal: record => ({ id: record.id, write: () => void records.push({ ...record }) }),
    announce() {},
    flushDue() {},
    headHash: () => undefined,
    drain: async () => {},
    close: async () => {},
  }
}

/** Records a failure as the HTTP API does, without a reply in between. Returns the error for the caller. */
export function recordFailure(audit: RequestAudit, cause: unknown): JetonError {
  const { error, write } = audit.admitFailure(cause)
  write()
  return error
}

export const UNWRITABLE = new JetonError('temporarily_unavailable', {
  publicMessage: 'a sink does not answer',
})

/** The audits of requests, on an audit log in memory and a virtual clock. */
export function startAudits(onEnded?: (record: AuditRecord) => void) {
  const clock = virtualClock()
  const auditLog = fakeAuditLog(clock)
  const beginAudit = createRequestAudits({
    auditLog,
    clock,
    instance: 'test/1',
    ...(onEnded && { onEnded }),
  })
  const origin = { requestId: 'request-1', sourceIp: '192.0.2.7', userAgent: 'curl/8' }
  return { clock, auditLog, records: auditLog.records, beginAudit: () => beginAudit(origin) }
}

export const ALICE: Principal = { issuer: 'ci', subject: 'alice', claims: { team: 'ops' } }

export function accessOf(
  grants: readonly Partial<GrantSpec>[],
  {
    principal = ALICE,
    databases = [ORDERS],
    now = () => 0,
  }: { principal?: Principal; databases?: readonly Database[]; now?: () => number } = {},
): PrincipalAccess {
  const specs = grants.map(grant => ({ ...OPS, ...grant }))
  const database = (name: string) => databases.find(candidate => candidate.name === name) ?? ORDERS
  return createPrincipalAccess(principal, { grants: compileGrants(specs), database, clock: { now } })
}

/** The grant that those of a test are laid over. */
const OPS: GrantSpec = {
  name: 'ops',
  principal: { issuer: 'ci', claims: { team: 'ops' } },
  database: 'orders',
  users: ['migrator'],
}
