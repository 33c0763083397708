import { describe, expect, test } from 'vitest'
import { policiesIn, TooDeep } from '../../../src/iam/lint/documents.ts'
import { briefly, lint, policy, statementsOf, USER } from './support.ts'

const BROAD = policy({ Resource: '*' })
const told = (value: unknown) => briefly(lint(value))

describe('policies are found', () => {
  test.each([
    ['as AWS prints a version', { PolicyVersion: { Document: BROAD } }, 'PolicyVersion.Document.'],
    ['as AWS prints that of a role', { RoleName: 'x', PolicyDocument: BROAD }, 'PolicyDocument.'],
    ['URL-encoded', { PolicyDocument: encodeURIComponent(JSON.stringify(BROAD)) }, 'PolicyDocument.'],
    [
      'as text in a plan of Terraform',
      { a: [{ values: { policy: JSON.stringify(BROAD, null, 2) } }] },
      'a.0.values.policy.',
    ],
    ['in a list', [BROAD], '0.'],
  ])('%s', (_where, value, path) => {
    expect(told(value)).toEqual([`warning too-broad ${path}Statement.0.Resource`])
  })

  test('with one statement that is no list', () => {
    const { Statement } = policy({ Resource: '*' }) as { Statement: object[] }
    expect(told({ Statement: Statement[0] })).toEqual(['warning too-broad Statement.Resource'])
  })

  test('but not those of resources and trust', () => {
    const found = policiesIn(policy({ Principal: '*', Action: '*', Resource: '*' }))
    expect(found).toEqual([{ path: [], statements: [] }])
    expect(policiesIn({ Statement: 'x', other: [1, null, 'Statement', '{"Statement"'] })).toEqual([])
  })
})

describe('a template of CloudFormation', () => {
  const template = (resource: string) => `
Conditions: { Broad: !Equals [!Ref Stage, dev] }
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: connect
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              - Effect: Allow
                Action: rds-db:connect
                Resource: ${resource}
`
  const path = 'Resources.Role.Properties.Policies.0.PolicyDocument.Statement.0.Resource'
  const sub = (rest: string) =>
    `!Sub 'arn:\${AWS::Partition}:rds-db:\${AWS::Region}:\${AWS::AccountId}:dbuser:${rest}'`

  test.each([
    ['what it puts in is not judged', sub(`\${Db.DbiResourceId}/app_ro`), []],
    ['nor what stands elsewhere', '!Ref Arn', []],
    ['nor is NoValue', '!If [Broad, !Ref AWS::NoValue, !GetAtt X.Arn]', []],
    ['what stands there is', sub('orders/app_ro'), [`error resource-id ${path}`]],
    ['the user too', sub(`\${Db.DbiResourceId}/*`), [`warning too-broad ${path}`]],
    ['in a list', `[${sub(`\${Id}/a`)}, '*']`, [`warning too-broad ${path}.1`]],
    [
      'in a join',
      "!Join [':', ['arn:aws:rds-db', !Ref 'AWS::Region', '1', 'dbuser:db-ABC/x']]",
      [`error account ${path}`],
    ],
    [
      'on either side',
      `!If [Broad, '*', !Sub 'arn:aws:rds:eu-west-1:\${A}:db:x']`,
      [`warning too-broad ${path}.Fn::If.1`, `error resource ${path}.Fn::If.2`],
    ],
    ['a variable of IAM', sub(`\${Id}/\${!aws:username}`), [`warning variable ${path}`]],
  ])('%s', (_what, resource, findings) => {
    expect(told(template(resource))).toEqual(findings)
  })

  test('may be JSON, and choose between statements', () => {
    const [one] = (policy({ Resource: '*' }) as { Statement: object[] }).Statement
    const value = { PolicyDocument: { Statement: [{ 'Fn::If': ['c', one, { Ref: 'AWS::NoValue' }] }] } }
    expect(told(value)).toEqual(['warning too-broad PolicyDocument.Statement.0.Fn::If.1.Resource'])
  })
})

test('what Terraform puts in is not judged, and its escape is a variable of IAM', () => {
  const resource = (id: string, user: string) =>
    policy({ Resource: `arn:aws:rds-db:\${var.region}:\${local.account}:dbuser:${id}/${user}` })
  expect(told(resource(`\${aws_db_instance.x.resource_id}`, 'app_ro'))).toEqual([])
  expect(told(resource('orders', `$\${aws:username}`))).toEqual([
    'error resource-id Statement.0.Resource',
    'warning variable Statement.0.Resource',
  ])
})

test('a file that is nested without end is refused, however it is', () => {
  const lists = JSON.parse('['.repeat(5000) + ']'.repeat(5000))
  expect(() => policiesIn(lists)).toThrow(TooDeep)
  expect(() => policiesIn({ Statement: lists })).toThrow(TooDeep)
})

test('an element may be of any kind without a fault', () => {
  for (const odd of [
    null,
    1,
    true,
    {},
    [[]],
    { a: 1, b: 2 },
    [null],
    { 'Fn::Sub': 7 },
    { 'Fn::Join': 'x' },
    { 'Fn::If': 1 },
  ])
    for (const name of ['Action', 'NotAction', 'Resource', 'NotResource', 'Condition', 'Effect'])
      expect(Array.isArray(lint(policy({ [name]: odd })))).toBe(true)
  expect(
    statementsOf(JSON.stringify(policy({ Condition: { IpAddress: { 'aws:SourceIp': null } } }))),
  ).toHaveLength(1)
  expect(USER).toContain('dbuser')
})
