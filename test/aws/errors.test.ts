import { expect, test } from 'vitest'
import { awsErrorFacts, describeAwsError } from '../../src/aws/errors.ts'

const failing = (name: string, more: object) =>
  Object.assign(new Error('X-Amz-Security-Token: s3cret'), { name }, more)

test.each([
  [
    failing('AccessDenied', { $metadata: { httpStatusCode: 403, requestId: '4KBN-V' } }),
    'AccessDenied (403), request 4KBN-V',
  ],
  [failing('TimeoutError', { code: 'ECONNREFUSED', $metadata: {} }), 'TimeoutError ECONNREFUSED'],
  [failing('ECONNRESET', { code: 'ECONNRESET' }), 'ECONNRESET'],
  [failing('a name: s3cret', { code: 'a code s3cret', $metadata: { requestId: 'an id s3cret' } }), 'Error'],
  ['s3cret', 'unknown error'],
  [undefined, 'unknown error'],
])('says of an error its names and numbers, never its message (%#)', (cause, told) => {
  expect(describeAwsError(cause)).toBe(told)
  expect(JSON.stringify(awsErrorFacts(cause))).not.toContain('s3cret')
})
