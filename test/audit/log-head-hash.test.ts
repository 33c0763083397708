import { expect, test } from 'vitest'
import { logHeadHash } from '../../src/audit/log-head-hash.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'

test.each(['audit_head', 'audit_closed'] as const)('logHeadHash logs the hash as %s', event => {
  const log = createLogRecorder()
  logHeadHash({ headHash: () => 'abc' }, { log, event })
  expect(log.lines.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
    { level: 'info', event, last: 'abc' },
  ])
})

test('logHeadHash logs nothing without a hash chain', () => {
  const log = createLogRecorder()
  logHeadHash({ headHash: () => undefined }, { log, event: 'audit_head' })
  expect(log.lines).toEqual([])
})
