import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAuditLog } from '../../src/audit/audit-log.ts'
import { auditItem } from '../../src/audit/dynamodb/item.ts'
import { openFileSink } from '../../src/audit/file/sink.ts'
import { verifyFiles } from '../../src/audit/file/verify.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { folder, linesOf, record } from './support.ts'

const REFUSALS = 20_000

test('a minute of anonymous refusals from rotating networks takes 512 KiB of disk at most, and hides no principal', async () => {
  const path = join(await folder(), 'audit.jsonl')
  const log = createLogRecorder()
  const file = await openFileSink({ path, clock: systemClock(), health: createHealth(), log })
  const clock = virtualClock()
  const auditLog = createAuditLog({ sinks: [file], clock, timer: systemClock(), health: createHealth(), log })
  const refusal = { decision: 'refused', code: 'unauthenticated', userAgent: '\u009b'.repeat(5000) } as const
  for (let i = 0; i < REFUSALS; i++) {
    const sourceIp = `${(0x2000 + (i & 0xfff)).toString(16)}:db8:${(i >> 12).toString(16)}::1`
    auditLog.admitRefusal(record({ ...refusal, id: `r${i}`, sourceIp }))?.write()
    // the queue is as long as in a server that writes meanwhile
    if (i % 500 === 0) await auditLog.drain()
  }
  const principal = { issuer: 'github', subject: 'repo:acme/stolen' }
  auditLog.admitRefusal(record({ ...refusal, principal }), { entitledBy: 'deploy' })?.write()
  await auditLog.close()

  expect((await stat(path)).size).toBeLessThan(512 * 1024)
  expect(await verifyFiles([path])).toMatchObject({ ok: true })
  const lines = await linesOf(path)
  const records = lines.map(line => JSON.parse(line))
  expect(records.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(REFUSALS + 1)
  expect(records.filter(each => each.principal)).toMatchObject([{ principal, cut: ['userAgent'] }])
  // in DynamoDB an item of up to 1 KB costs one write unit
  const items = lines.map(line => auditItem(line, { fallbackTimeMs: 0 }))
  expect(Math.max(...items.map(item => JSON.stringify(item).length))).toBeLessThan(1024)
})
