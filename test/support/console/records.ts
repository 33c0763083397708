import type { AuditRecord } from '../../../src/audit/record.ts'
import { virtualClock } from '../clock/virtual-clock.ts'

const NOW = virtualClock().now()
const ROLE = 'arn:aws:sts::123456789012:assumed-role/jeton-orders'

let nextId = 1
/** Returns the record of a vend so long ago (ms); members replace its own. */
export function vend(agoMs: number, fields: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: `00000000-0000-4000-8000-${`${nextId++}`.padStart(12, '0')}`,
    time: new Date(NOW - agoMs).toISOString(),
    decision: 'vended',
    principal: { issuer: 'ci', subject: 'repo:acme/shop', claims: { ref: 'refs/heads/main' } },
    grant: 'shop-orders',
    database: 'orders',
    user: 'app',
    identity: `${ROLE}/orders.app`,
    fingerprint: 'ab'.repeat(32),
    cached: true,
    sourceIp: '192.0.2.7',
    userAgent: 'jeton/1.0',
    instance: 'host/1',
    ...fields,
  }
}

/** Returns the record of a refusal so long ago (ms); members replace its own. */
export function refusal(agoMs: number, fields: Partial<AuditRecord> = {}): AuditRecord {
  const { id, time, principal, database, user, sourceIp } = vend(agoMs)
  const reason = 'nearest grant shop-orders: claim ref is "refs/heads/x", wanted refs/heads/main'
  return {
    id,
    time,
    decision: 'refused',
    code: 'access_denied',
    reason,
    principal,
    database,
    user,
    sourceIp,
    ...fields,
  }
}

/** The line of a server's start. */
export const started = JSON.stringify({
  type: 'jeton.audit.started',
  v: 1,
  id: 'start-1',
  time: new Date(NOW - 600_000).toISOString(),
  instance: 'host/1',
  jeton: '1.0.0',
  configuration: { source: 'jeton.yaml', sha256: 'c'.repeat(64), files: {} },
})
/** The line of a reload that changed grants. */
export const reloaded = JSON.stringify({
  ...JSON.parse(started),
  type: 'jeton.audit.reloaded',
  id: 'reload-1',
  time: new Date(NOW - 500_000).toISOString(),
  changes: { grants: { added: ['shop-orders'], removed: ['old'] } },
})
