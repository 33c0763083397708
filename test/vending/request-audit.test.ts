import { expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { JetonError } from '../../src/errors.ts'
import { createRequestAudits } from '../../src/vending/request-audit.ts'
import { settle, virtualClock } from '../support/clock/virtual-clock.ts'
import { accessOf, fakeAuditLog, recordFailure, startAudits, UNWRITABLE } from './support.ts'

const denied = new JetonError('access_denied', { publicMessage: 'no grant', reason: 'nearest grant ops' })

test('recordVend writes one record of all that was added, with the origin of the request', async () => {
  const { records, beginAudit } = startAudits()
  const audit = beginAudit()
  audit.add({ database: 'orders', user: undefined })
  audit.add({ user: 'migrator', fingerprint: 'f1' })
  await audit.recordVend()
  expect(records).toEqual([
    {
      id: audit.id,
      time: '2026-11-23T10:00:00.000Z',
      requestId: 'request-1',
      decision: 'vended',
      database: 'orders',
      user: 'migrator',
      fingerprint: 'f1',
      sourceIp: '192.0.2.7',
      userAgent: 'curl/8',
      instance: 'test/1',
    },
  ])
})

test('the id of a record is its own, though a proxy may repeat the id of a request', () => {
  const { beginAudit } = startAudits()
  const ids = Array.from({ length: 100 }, () => beginAudit().id)
  expect(new Set(ids).size).toBe(100)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/)
})

test('recordVend resolves only when the audit log has the record', async () => {
  const ended: AuditRecord[] = []
  const { clock, auditLog, beginAudit } = startAudits(record => ended.push(record))
  auditLog.delayMs = 1000
  let isRecorded = false
  const recorded = beginAudit()
    .recordVend()
    .then(() => {
      isRecorded = true
    })
  await clock.advance(999)
  expect({ isRecorded, ended }).toEqual({ isRecorded: false, ended: [] })
  await clock.advance(1)
  await recorded
  expect(ended).toMatchObject([{ decision: 'vended' }])
})

test('recordVend rejects as the audit log does, and the request has not ended', async () => {
  const ended: AuditRecord[] = []
  const { auditLog, beginAudit } = startAudits(record => ended.push(record))
  auditLog.fault = UNWRITABLE
  await expect(beginAudit().recordVend()).rejects.toBe(UNWRITABLE)
  expect(ended).toEqual([])
})

test('admitFailure finds out a reason only if the record is read, so that a flood costs nothing', () => {
  const { records, beginAudit } = startAudits()
  let calls = 0
  const denial = () =>
    new JetonError('access_denied', { publicMessage: 'no grant', reason: () => `nearest grant ${++calls}` })
  // an audit log that counts its refusals does not read them
  const counting = createRequestAudits({
    auditLog: { ...fakeAuditLog(virtualClock()), admitRefusal: () => undefined },
    clock: virtualClock(),
    instance: 'test/1',
  })
  for (let i = 0; i < 100; i++)
    recordFailure(counting({ requestId: 'r', sourceIp: undefined, userAgent: undefined }), denial())
  expect(calls).toBe(0)
  recordFailure(beginAudit(), denial())
  expect(records).toMatchObject([{ code: 'access_denied', reason: 'nearest grant 1' }])
})

test('admitFailure records a fault of the caller as refused, with the reason for operators', () => {
  const ended: AuditRecord[] = []
  const { records, beginAudit } = startAudits(record => ended.push(record))
  const audit = beginAudit()
  audit.add({ database: 'orders' })
  expect(recordFailure(audit, denied)).toBe(denied)
  expect(records).toMatchObject([
    {
      id: audit.id,
      decision: 'refused',
      code: 'access_denied',
      reason: 'nearest grant ops',
      database: 'orders',
    },
  ])
  expect(ended).toEqual(records)
})

test('admitFailure records any other fault as failed, with the public message if there is no reason', () => {
  const { records, beginAudit } = startAudits()
  recordFailure(beginAudit(), UNWRITABLE)
  expect(records).toMatchObject([
    { decision: 'failed', code: 'temporarily_unavailable', reason: 'a sink does not answer' },
  ])
})

test('admitFailure records a bug as internal_error without a word of it', () => {
  const { records, beginAudit } = startAudits()
  const error = recordFailure(beginAudit(), new TypeError('secret-8d1f'))
  expect(error.code).toBe('internal_error')
  expect(error.publicMessage).not.toContain('secret-8d1f')
  expect(records).toMatchObject([{ decision: 'failed', code: 'internal_error' }])
  expect(JSON.stringify(records)).not.toContain('secret-8d1f')
})

test('admitFailure records only the first of several failures, and returns each', () => {
  const { records, beginAudit } = startAudits()
  const audit = beginAudit()
  recordFailure(audit, denied)
  expect(recordFailure(audit, UNWRITABLE)).toBe(UNWRITABLE)
  expect(records).toMatchObject([{ code: 'access_denied' }])
})

test('admitFailure does not wait for the audit log', async () => {
  const { auditLog, records, beginAudit } = startAudits()
  auditLog.delayMs = 1000
  const audit = beginAudit()
  const vend = audit.recordVend()
  recordFailure(audit, denied)
  expect(records).toMatchObject([{ decision: 'refused' }])
  await settle()
  expect(records).toHaveLength(1)
  void vend
})

test('admitFailure after recordVend writes a second record with an id of its own', async () => {
  const { records, beginAudit } = startAudits()
  const audit = beginAudit()
  audit.add({ fingerprint: 'f1' })
  await audit.recordVend()
  recordFailure(audit, denied)
  expect(records).toMatchObject([
    { id: audit.id, decision: 'vended', fingerprint: 'f1' },
    { id: expect.stringMatching(/^[0-9a-f-]{36}$/), decision: 'refused', fingerprint: 'f1' },
  ])
  expect(records[1]?.id).not.toBe(audit.id)
})

test('admitFailure after a vend that was not written has an id of its own, since one sink may have it', async () => {
  const { auditLog, records, beginAudit } = startAudits()
  auditLog.fault = UNWRITABLE
  const audit = beginAudit()
  await audit.recordVend().catch(cause => recordFailure(audit, cause))
  expect(records).toMatchObject([{ decision: 'failed', code: 'temporarily_unavailable' }])
  expect(records[0]?.id).not.toBe(audit.id)
})

test('recordListing queues one record of what the principal was told, and waits for nothing', () => {
  const ended: AuditRecord[] = []
  const { auditLog, records, beginAudit } = startAudits(record => ended.push(record))
  auditLog.delayMs = 1000
  const audit = beginAudit()
  audit.identify(accessOf([{}]))
  audit.recordListing()
  expect(records).toMatchObject([
    {
      id: audit.id,
      time: '2026-11-23T10:00:00.000Z',
      decision: 'listed',
      principal: { issuer: 'ci', subject: 'alice', claims: { team: 'ops' } },
      sourceIp: '192.0.2.7',
    },
  ])
  expect(ended).toEqual(records)
})

test('admitFailure after recordListing writes a second record with an id of its own', () => {
  const { records, beginAudit } = startAudits()
  const audit = beginAudit()
  audit.recordListing()
  recordFailure(audit, new TypeError('a bug'))
  expect(records).toMatchObject([{ decision: 'listed' }, { decision: 'failed', code: 'internal_error' }])
  expect(records[1]?.id).not.toBe(records[0]?.id)
})

test('a refusal is told apart by the grant that entitles its principal, whatever it asked for', () => {
  const { auditLog, beginAudit } = startAudits()
  const options: unknown[] = []
  auditLog.admitRefusal = (_record, each) => void options.push(each)
  const mallory = { issuer: 'ci', subject: 'mallory', claims: {} }
  for (const access of [accessOf([{}]), accessOf([{}], { principal: mallory })]) {
    const audit = beginAudit()
    audit.identify(access)
    recordFailure(audit, denied)
  }
  recordFailure(beginAudit(), denied)
  expect(options).toEqual([{ entitledBy: 'ops' }, { entitledBy: undefined }, { entitledBy: undefined }])
})
