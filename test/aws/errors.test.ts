import { describe, expect, test } from 'vitest'
import { NO_REGION } from '../../src/aws/error-causes.ts'
import { awsErrorFacts } from '../../src/aws/error-facts.ts'
import { describeAwsError, describeFailedCall, findRegion } from '../../src/aws/errors.ts'

const failure = (name: string, more: object) =>
  Object.assign(new Error('X-Amz-Security-Token: s3cret'), { name }, more)

test.each([
  [
    failure('AccessDenied', { $metadata: { httpStatusCode: 403, requestId: '4KBN-V' } }),
    'AccessDenied (403), request 4KBN-V',
  ],
  [failure('TimeoutError', { code: 'ECONNREFUSED', $metadata: {} }), 'TimeoutError ECONNREFUSED'],
  [failure('ECONNRESET', { code: 'ECONNRESET' }), 'ECONNRESET'],
  [failure('a name: s3cret', { code: 'a code s3cret', $metadata: { requestId: 'an id s3cret' } }), 'Error'],
  ['s3cret', 'unknown error'],
  [undefined, 'unknown error'],
])('describeAwsError returns names and numbers of an error, never its message (%#)', (cause, line) => {
  expect(describeAwsError(cause)).toBe(line)
  expect(JSON.stringify(awsErrorFacts(cause))).not.toContain('s3cret')
})

const clientIn = (region: string) => ({ config: { region: async () => region } })
const clientWithoutRegion = { config: { region: () => Promise.reject(new Error('Region is missing')) } }
const remedies = new Map([['NotFoundException', 'create it']])
const describeIn = (client: Parameters<typeof findRegion>[0], name: string) =>
  describeFailedCall(failure(name, { $metadata: { httpStatusCode: 400 } }), {
    client,
    summary: 'cannot use x',
    remedies,
  })

test('findRegion returns undefined if the SDK finds none', async () => {
  expect(await findRegion(clientIn('us-east-1'))).toBe('us-east-1')
  expect(await findRegion(clientWithoutRegion)).toBeUndefined()
})

test.each([
  ['NotFoundException', 'NotFoundException (400); create it'],
  [
    'ExpiredTokenException',
    'ExpiredTokenException (400); the credentials that jeton runs with have expired: renew them',
  ],
  ['ThrottlingException', 'ThrottlingException (400); AWS throttles; it passes by itself'],
  ['InvalidAccessKeyId', 'InvalidAccessKeyId (400); AWS does not know the access key that jeton runs with'],
])('describeFailedCall names the region and the remedy for %s, and no secret', async (name, text) => {
  const line = await describeIn(clientIn('us-east-1'), name)
  expect(line).toMatch(new RegExp(`^cannot use x in us-east-1: ${text.replace(/[()]/g, '\\$&')}`))
  expect(line).not.toContain('s3cret')
})

test('describeFailedCall quotes a message of AWS that holds no secret', async () => {
  const message =
    'User: arn:aws:sts::123456789012:assumed-role/jeton/i-1 is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/jeton because no identity-based policy allows the dynamodb:GetItem action'
  const cause = Object.assign(new Error(message), { name: 'AccessDeniedException' })
  const call = { client: clientIn('us-east-1'), summary: 'cannot use x', remedies }
  expect(await describeFailedCall(cause, call)).toBe(
    `cannot use x in us-east-1: AccessDeniedException; AWS says: ${message}`,
  )
})

describe('a policy that AWS names, and what jeton itself runs with, come before what the service needs:', () => {
  const needs = new Map([
    ['AccessDeniedException', 'jeton needs kms:Decrypt'],
    ['AccessDenied', 'jeton needs s3:GetObject'],
  ])
  const denied = (name: string, action: string, why: string) =>
    describeFailedCall(
      Object.assign(
        new Error(
          `User: arn:aws:iam::123456789012:user/jeton is not authorized to perform: ${action} on resource: arn:aws:iam::123456789012:role/x${why}`,
        ),
        { name },
      ),
      { client: clientIn('us-east-1'), summary: 'cannot use x', remedies: needs },
    )

  test.each([
    ['AccessDeniedException', 'kms:Decrypt', '', /; jeton needs kms:Decrypt; AWS says/],
    [
      'AccessDeniedException',
      'kms:Decrypt',
      ' because no identity-based policy allows the kms:Decrypt action',
      /; jeton needs kms:Decrypt; AWS says/,
    ],
    [
      'AccessDeniedException',
      'kms:Decrypt',
      ' because no VPC endpoint policy allows the kms:Decrypt action',
      /; the policy of the VPC endpoint on the way to AWS does not allow kms:Decrypt; AWS says/,
    ],
    ['AccessDenied', 'sts:AssumeRole', '', /; AWS refuses jeton its own role, that of its profile or pod: /],
    [
      'AccessDenied',
      'sts:AssumeRole',
      ' with an explicit deny in a service control policy',
      /; a service control policy for jeton's account .* forbids sts:AssumeRole; AWS says/,
    ],
  ])('%s of %s%s', async (name, action, why, line) => {
    expect(await denied(name, action, why)).toMatch(line)
  })
})

test('describeFailedCall says what to set if there is no region', async () => {
  expect(await describeIn(clientWithoutRegion, 'Error')).toBe(`cannot use x: ${NO_REGION}`)
})
