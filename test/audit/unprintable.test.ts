import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditItem } from '../../src/audit/dynamodb/item.ts'
import { openFileSink } from '../../src/audit/file/sink.ts'
import { verifyFiles } from '../../src/audit/file/verify.ts'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import { asRecorded, compileQuery } from '../../src/audit/query.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { createStdoutSink } from '../../src/audit/stdout/sink.ts'
import { auditRow, formatAuditJson } from '../../src/cli/audit-row.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { hostileText, RAW } from '../support/hostile-text.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { folder, record } from './support.ts'

/** A record in which all that a caller chooses is hostile. */
const hostileRecord = fc
  .record({
    subject: hostileText,
    claims: fc.dictionary(hostileText, fc.oneof(hostileText, fc.array(hostileText))),
    database: hostileText,
    user: hostileText,
    userAgent: hostileText,
  })
  .map(({ subject, claims, ...fields }) =>
    record({ decision: 'refused', principal: { issuer: 'ci', subject, claims }, ...fields }),
  )

/** What callers chose, as it is in a record or in what was parsed of one. */
const chosen = ({ principal, database, user, userAgent }: AuditRecord) =>
  JSON.parse(JSON.stringify({ principal, database, user, userAgent }))

test('a record is one line without anything unprintable, and parses to the very same values', () => {
  fc.assert(
    fc.property(hostileRecord, each => {
      const line = renderRecord(each)
      expect(line).not.toMatch(RAW)
      const parsed = JSON.parse(line)
      expect(parsed).not.toHaveProperty('cut')
      expect(chosen(parsed)).toEqual(chosen(each))
    }),
  )
})

test('a record is found by the principal that it names, whatever its subject is', () => {
  fc.assert(
    fc.property(hostileRecord, each => {
      const { issuer, subject } = each.principal ?? expect.fail('it has a principal')
      const parsed = parseRecord(renderRecord(each)) ?? expect.fail('it is a record')
      expect(compileQuery({ principal: { issuer, subject } })(parsed)).toBe(true)
      expect(asRecorded({ issuer, subject })).toEqual({ issuer, subject })
    }),
  )
})

test('the reason is printable even after JSON is parsed: it is a sentence, whatever it quotes', () => {
  const line = renderRecord(
    record({ decision: 'refused', reason: 'no issuer "\u009b\n\u202e" is configured' }),
  )
  expect(JSON.parse(line).reason).toBe('no issuer "\\u009b\\n\\u202e" is configured')
})

test('no sink shows anything unprintable, and the hash chain verifies', async () => {
  const lines = fc.sample(hostileRecord, 100).map(renderRecord)
  const path = join(await folder(), 'audit.jsonl')
  const file = await openFileSink({
    path,
    clock: systemClock(),
    health: createHealth(),
    log: createLogRecorder(),
  })
  await file.append(lines)
  await file.close()
  const stream = new PassThrough({ highWaterMark: 2 ** 24 })
  await createStdoutSink(stream).append(lines)
  for (const text of [await readFile(path, 'utf8'), String(stream.read())]) {
    const written = text.split('\n').slice(0, -1)
    expect(written).toHaveLength(lines.length)
    for (const line of written) expect(line).not.toMatch(RAW)
  }
  expect(await verifyFiles([path])).toMatchObject({ ok: true, records: lines.length })
  for (const line of lines) expect(auditItem(line, { fallbackTimeMs: 0 }).record?.S).not.toMatch(RAW)
})

test('jeton audit query escapes records that somebody else wrote raw', () => {
  fc.assert(
    fc.property(hostileRecord, each => {
      const raw = JSON.stringify({ type: 'jeton.audit', ...each }, undefined, '\t')
      const parsed = parseRecord(raw) ?? expect.fail('it is a record')
      for (const cell of auditRow(parsed.record)) expect(cell).not.toMatch(RAW)
      const line = formatAuditJson(parsed)
      expect(line).not.toMatch(RAW)
      expect(JSON.parse(line)).toEqual(JSON.parse(raw))
    }),
  )
})
