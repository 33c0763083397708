import { describe, expect, test } from 'vitest'
import { shownMessage } from '../../src/aws/error-messages.ts'

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
    denied(
      'sts:AssumeRole',
      `${EXPLICIT}: arn:aws:organizations::210987654321:policy/o-a1b2c3d4e5/service_control_policy/p-1234abcd`,
    ),
    denied('sts:AssumeRole', ' with an explicit deny'),
    denied('sts:AssumeRole', ' with an explicit deny in an identity-based policy'),
    denied('sts:AssumeRole', ' with an explicit deny in a resource control policy'),
    denied('sts:AssumeRole', ' with an explicit deny in a permissions boundary'),
    denied(
      'sts:AssumeRole',
      ' with an explicit deny in a VPC endpoint policy transitively through a service control policy',
    ),
    denied('sts:AssumeRole', ' because no permissions boundary allows the sts:AssumeRole action'),
    denied('sts:AssumeRole', ' because no VPC endpoint policy allows the sts:AssumeRole action'),
    denied('sts:AssumeRole', ' because no session policy allows the sts:AssumeRole action'),
    `User: ${USER} is not authorized to perform: sts:AssumeRole because no role trust policy allows the sts:AssumeRole action`,
    `User: ${USER} is not authorized to perform: sts:AssumeRole with an explicit deny in the role trust policy`,
    `User: arn:aws:sts::210987654321:assumed-role/JetonTaskRole2/0123456789abcdef0123456789abcdef is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
    `User: arn:aws:sts::210987654321:assumed-role/JetonHosts/00fedcba9876543210fedcba9876543210fedcba is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`,
    `User: arn:aws-cn:sts::210987654321:assumed-role/jeton/i-1 is not authorized to perform: sts:AssumeRole on resource: arn:aws-cn:iam::123456789012:role/x`,
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
    [
      'a session token in place of a policy',
      denied(
        'sts:AssumeRole',
        ' because no IQoJb3JpZ2luX2VjEIfxIQoJb3JpZ2luX2VjEIf policy allows the sts:AssumeRole action',
      ),
    ],
    [
      'a session token that is encoded for a URL',
      denied('sts:AssumeRole').replace('eks-prod', `IQoJb3JpZ2lu%2F${'X2VjEIf%2B'.repeat(20)}`),
    ],
    [
      'a session token in place of a session name',
      denied('sts:AssumeRole').replace(
        USER,
        `arn:aws:sts::210987654321:assumed-role/jeton/${'IQoJb3JpZ2luX2VjEIf'.repeat(20)}`,
      ),
    ],
    ['one in lower case', denied('sts:AssumeRole').replace('eks-prod', 'iqojb3jpz2lux2vjeif'.repeat(20))],
    ['one with empty parts', denied('sts:AssumeRole').replace('eks-prod', 'iqojb3jpz2lux2vjeif//')],
    ['one that is told as a time', 'Signature expired: IQoJb3JpZ2lu is now earlier than b (c - 15 min.)'],
    ['what a line break hides', denied('sts:AssumeRole').replace('eks-prod', 'IQoJb3JpZ2lu\nX2VjEIf')],
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
