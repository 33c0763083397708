import { expect, test } from 'vitest'
import { logRequestFailure } from '../../src/telemetry/log.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'

const SECRET = 'secret-8d1f'

function fieldsFor(cause: unknown) {
  const log = createLogRecorder()
  logRequestFailure(log, { requestId: 'r-1', cause })
  expect(log.lines.map(({ level }) => level)).toEqual(['error'])
  expect(JSON.stringify(log.lines)).not.toContain(SECRET)
  return log.lines[0]?.fields
}

test('logRequestFailure logs the name and the stack of an error, without its message', () => {
  const message = `cannot read ${SECRET}\n    at ${SECRET}\n  at ${SECRET} (x:1:2)`
  expect(fieldsFor(new TypeError(message))).toEqual({
    event: 'request_failed',
    requestId: 'r-1',
    error: 'TypeError',
    stack: expect.arrayContaining([expect.stringMatching(/^at .*log\.test\.ts:\d+:\d+\)?$/)]),
  })
})

test.each([
  ['string', SECRET],
  ['undefined', undefined],
  ['object', null],
  ['object', { message: SECRET }],
])('logRequestFailure logs only the type %s of anything that is not an Error', (type, cause) => {
  expect(fieldsFor(cause)).toMatchObject({ error: type, stack: [] })
})
