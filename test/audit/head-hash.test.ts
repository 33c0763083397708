import { expect, test } from 'vitest'
import type { AuditLog } from '../../src/audit/audit-log.ts'
import { logHeadHash } from '../../src/audit/head-hash.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'

function logged(hash: string | undefined, event: 'audit_head' | 'audit_closed') {
  const log = createLogRecorder()
  logHeadHash({ headHash: () => hash } as AuditLog, { log, event })
  return log.lines.map(({ level, fields }) => ({ level, ...fields }))
}

test.each(['audit_head', 'audit_closed'] as const)('logHeadHash logs the hash as %s', event => {
  expect(logged('abc', event)).toEqual([{ level: 'info', event, last: 'abc' }])
})

test('logHeadHash logs nothing without a hash chain', () => {
  expect(logged(undefined, 'audit_head')).toEqual([])
})
