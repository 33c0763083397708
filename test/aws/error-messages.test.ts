import { describe, expect, test } from 'vitest'
import { parseDenial, shownMessage } from '../../src/aws/error-messages.ts'

const USER = 'arn:aws:sts::210987654321:assumed-role/jeton/eks-prod-jeton-7d9f-0b1c2d3e'
const ROLE = 'arn:aws:iam::123456789012:role/a/b/jeton-orders'
const denied = (action: string, why = '') =>
  `User: ${USER} is not authorized to perform: ${action} on resource: ${ROLE}${why}`
const IDENTITY = ' because no identity-based policy allows the sts:AssumeRole action'
const EXPLICIT = ' with an explicit deny in a service control policy'

describe('shownMessage', () => {
  test.each([
    denied('sts:AssumeRole'),
    denied('sts:TagSession'),
    denied('sts:AssumeRole', IDENTITY),
    denied('sts:AssumeRole', EXPLICIT),
    `User: ${USER} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::acme-config/jeton.yaml" because no identity-based policy allows the s3:GetObject action`,
    `User: ${USER} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab because no resource-based policy allows the kms:Decrypt action`,
    'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    'The security token included in the request is invalid.',
    'The security token included in the request is expired',
    'Signature expired: 20261123T100000Z is now earlier than 20261123T101500Z (20261123T103000Z - 15 min.)',
    'Packed size of session tags consumes 112% of allotted space.',
    'Packed policy consumes 103% of allotted space, please use smaller policy.',
    'STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this region using the IAM Console.',
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    'Alias arn:aws:kms:us-east-1:123456789012:alias/jeton is not found.',
    'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab is disabled.',
    'Requested resource not found: Table: jeton not found',
    'Rate exceeded',
  ])('shows %s', message => {
    expect(shownMessage(new Error(message))).toBe(message)
  })

  test.each([
    [
      'a canonical request',
      "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:sts.amazonaws.com\nx-amz-security-token:IQoJb3JpZ2luX2VjEIf\n'",
    ],
    ['one behind a message that may be shown', `${denied('sts:AssumeRole')}\nx-amz-security-token:IQoJ`],
    ['one within it', denied('sts:AssumeRole', ' because x-amz-security-token:IQoJb3JpZ2luX2VjEIf')],
    ['an access key id', denied('sts:AssumeRole').replace('eks-prod', 'AKIAIOSFODNN7EXAMPLE')],
    ['that of a session', denied('sts:AssumeRole').replace('eks-prod', 'ASIAIOSFODNN7EXAMPLE')],
    [
      'a secret key',
      denied('sts:AssumeRole').replace('eks-prod', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
    ],
    ['a session token', denied('sts:AssumeRole').replace('eks-prod', 'IQoJb3JpZ2luX2VjEIf'.repeat(20))],
    ['a line break', `${denied('sts:AssumeRole')}\n`],
    ['what is invisible', denied('sts:AssumeRole').replace('eks', 'eks\u202e')],
    ['markup', denied('sts:AssumeRole').replace('eks', '<b>')],
    [
      'values of the request',
      "1 validation error detected: Value 'top secret' at 'externalId' failed to satisfy constraint",
    ],
    ['what nobody knows', 'something new'],
  ])('shows no message with %s', (_what, message) => {
    expect(shownMessage(new Error(message))).toBeUndefined()
  })

  test('shows nothing of what is no error, and cuts what is long', () => {
    expect(shownMessage('Rate exceeded')).toBeUndefined()
    const long = shownMessage(new Error(denied('sts:AssumeRole').replace('eks', 'a-b-'.repeat(100))))
    expect(long).toHaveLength(400)
    expect(long?.endsWith('…')).toBe(true)
    expect(
      shownMessage(new Error(denied('sts:AssumeRole').replace('eks', 'a-b-'.repeat(9999)))),
    ).toBeUndefined()
  })
})

describe('parseDenial', () => {
  test.each([
    [denied('sts:TagSession'), { action: 'sts:TagSession', resource: ROLE, why: undefined }],
    [
      denied('sts:AssumeRole', IDENTITY),
      { action: 'sts:AssumeRole', resource: ROLE, why: 'caller lacks it' },
    ],
    [
      denied('sts:AssumeRole', EXPLICIT),
      { action: 'sts:AssumeRole', resource: ROLE, why: 'denied explicitly' },
    ],
    [
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      { action: 'sts:AssumeRoleWithWebIdentity', resource: undefined, why: undefined },
    ],
    ['Access denied', undefined],
  ])('reads %s', (message, denial) => {
    expect(parseDenial(new Error(message))).toEqual(denial)
  })
})
