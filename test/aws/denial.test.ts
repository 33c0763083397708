import { describe, expect, test } from 'vitest'
import { parseDenial, policyRemedy } from '../../src/aws/denial.ts'

const USER = 'arn:aws:sts::210987654321:assumed-role/jeton/eks-prod-jeton-7d9f-0b1c2d3e'
const ROLE = 'arn:aws:iam::123456789012:role/a/b/jeton-orders'
const denied = (action: string, why = '', resource = ` on resource: ${ROLE}`) =>
  new Error(`User: ${USER} is not authorized to perform: ${action}${resource}${why}`)
const notAllowed = (policy: string) => ` because no ${policy} allows the sts:AssumeRole action`

test.each([
  [
    denied('sts:TagSession'),
    { action: 'sts:TagSession', resource: ROLE, policy: undefined, isExplicit: false },
  ],
  [
    denied('sts:AssumeRole', notAllowed('identity-based policy')),
    { action: 'sts:AssumeRole', resource: ROLE, policy: 'identity-based policy', isExplicit: false },
  ],
  [
    denied('sts:AssumeRole', ' with an explicit deny in a service control policy'),
    { action: 'sts:AssumeRole', resource: ROLE, policy: 'service control policy', isExplicit: true },
  ],
  [
    denied('sts:AssumeRole', ' with an explicit deny in the role trust policy', ''),
    { action: 'sts:AssumeRole', resource: undefined, policy: 'role trust policy', isExplicit: true },
  ],
  [
    denied('kms:Decrypt', ' with an explicit deny'),
    { action: 'kms:Decrypt', resource: ROLE, policy: undefined, isExplicit: true },
  ],
  [
    new Error('Not authorized to perform sts:AssumeRoleWithWebIdentity'),
    { action: 'sts:AssumeRoleWithWebIdentity', resource: undefined, policy: undefined, isExplicit: false },
  ],
  [new Error('Access denied'), undefined],
])('parseDenial reads %s', (cause, denial) => {
  expect(parseDenial(cause)).toEqual(denial)
})

test('parseDenial reads what is long or full of beginnings without delay, and finds nothing in it', () => {
  for (const part of ['x', ' on resource: ', 'User: arn:aws:sts::1:', 'because no a-'])
    expect(parseDenial(new Error(part.repeat(100_000)))).toBeUndefined()
})

describe('policyRemedy', () => {
  test.each([
    ['permissions boundary', /permissions boundary of jeton's own role.* does not allow sts:AssumeRole$/],
    [
      'session policy',
      /session policy that came with jeton's own credentials.* does not allow sts:AssumeRole$/,
    ],
    ['service control policy', /service control policy for jeton's account.* does not allow sts:AssumeRole$/],
    ['resource control policy', /for the account of what is called.* does not allow sts:AssumeRole$/],
    ['VPC endpoint policy', /policy of the VPC endpoint on the way to AWS does not allow sts:AssumeRole$/],
    ['resource-based policy', /policy of what is called .* does not allow sts:AssumeRole$/],
    ['new kind of policy', /^a new kind of policy does not allow sts:AssumeRole$/],
  ])('says that a %s is the reason, and whose it is', (policy, remedy) => {
    expect(policyRemedy(denied('sts:AssumeRole', notAllowed(policy)))).toMatch(remedy)
    expect(policyRemedy(denied('sts:AssumeRole', ` with an explicit deny in a ${policy}`))).toMatch(
      new RegExp(remedy.source.replace('does not allow', 'forbids')),
    )
  })

  test("says that jeton's own role forbids it, or that some policy does", () => {
    const explicit = ' with an explicit deny in an identity-based policy'
    expect(policyRemedy(denied('sts:AssumeRole', explicit))).toBe(
      "a policy of jeton's own role forbids sts:AssumeRole",
    )
    expect(policyRemedy(denied('kms:Decrypt', ' with an explicit deny'))).toMatch(
      /^a policy forbids kms:Decrypt/,
    )
  })

  test('leaves it to the service what a permission is that is merely missing', () => {
    expect(policyRemedy(denied('sts:AssumeRole'))).toBeUndefined()
    expect(policyRemedy(denied('sts:AssumeRole', notAllowed('identity-based policy')))).toBeUndefined()
    expect(policyRemedy(new Error('Access denied'))).toBeUndefined()
  })
})
