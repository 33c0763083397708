import { describe, expect, test } from 'vitest'
import { NestedTooDeep, policiesIn } from '../../../src/iam/lint/documents.ts'
import { briefly, lint, policy, statementsOf, USER } from './support.ts'

const BROAD = policy({ Resource: '*' })
const findingsIn = (value: unknown) => briefly(lint(value))

describe('policiesIn finds a policy', () => {
  test.each([
    ['in what AWS prints of a version', { PolicyVersion: { Document: BROAD } }, 'PolicyVersion.Document.'],
    ['in what AWS prints of a role', { RoleName: 'x', PolicyDocument: BROAD }, 'PolicyDocument.'],
    ['URL-encoded', { PolicyDocument: encodeURIComponent(JSON.stringify(BROAD)) }, 'PolicyDocument.'],
    [
      'as text in a Terraform plan',
      { a: [{ values: { policy: JSON.stringify(BROAD, null, 2) } }] },
      'a.0.values.policy.',
    ],
    ['in a list', [BROAD], '0.'],
  ])('%s', (_where, value, path) => {
    expect(findingsIn(value)).toEqual([`warning too-broad ${path}Statement.0.Resource`])
  })

  test('whose Statement is not a list', () => {
    const { Statement } = policy({ Resource: '*' }) as { Statement: object[] }
    expect(findingsIn({ Statement: Statement[0] })).toEqual(['warning too-broad Statement.Resource'])
  })

  test('but not the statements of resource and trust policies', () => {
    const policies = policiesIn(policy({ Principal: '*', Action: '*', Resource: '*' }))
    expect(policies).toEqual([{ path: [], statements: [] }])
    expect(policiesIn({ Statement: 'x', other: [1, null, 'Statement', '{"Statement"'] })).toEqual([])
  })
})

describe('a CloudFormation template', () => {
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
  const sub = (idAndUser: string) =>
    `!Sub 'arn:\${AWS::Partition}:rds-db:\${AWS::Region}:\${AWS::AccountId}:dbuser:${idAndUser}'`

  test.each([
    ['is not judged by what it inserts', sub(`\${Db.DbiResourceId}/app_ro`), []],
    ['nor by what is elsewhere', '!Ref Arn', []],
    ['nor by NoValue', '!If [Broad, !Ref AWS::NoValue, !GetAtt X.Arn]', []],
    ['is judged by what is written in it', sub('orders/app_ro'), [`error resource-id ${path}`]],
    ['by the user too', sub(`\${Db.DbiResourceId}/*`), [`warning too-broad ${path}`]],
    ['by what is in a list', `[${sub(`\${Id}/a`)}, '*']`, [`warning too-broad ${path}.1`]],
    [
      'by what is in a join',
      "!Join [':', ['arn:aws:rds-db', !Ref 'AWS::Region', '1', 'dbuser:db-ABC/x']]",
      [`error account ${path}`],
    ],
    [
      'by both branches of a condition',
      `!If [Broad, '*', !Sub 'arn:aws:rds:eu-west-1:\${A}:db:x']`,
      [`warning too-broad ${path}.Fn::If.1`, `error resource ${path}.Fn::If.2`],
    ],
    ['by a variable of IAM', sub(`\${Id}/\${!aws:username}`), [`warning variable ${path}`]],
  ])('%s', (_what, resource, findings) => {
    expect(findingsIn(template(resource))).toEqual(findings)
  })

  test('may be JSON, and may choose between statements', () => {
    const [one] = (policy({ Resource: '*' }) as { Statement: object[] }).Statement
    const value = { PolicyDocument: { Statement: [{ 'Fn::If': ['c', one, { Ref: 'AWS::NoValue' }] }] } }
    expect(findingsIn(value)).toEqual(['warning too-broad PolicyDocument.Statement.0.Fn::If.1.Resource'])
  })
})

test('lintStatements ignores what Terraform inserts, and takes its escape for a variable of IAM', () => {
  const resource = (id: string, user: string) =>
    policy({ Resource: `arn:aws:rds-db:\${var.region}:\${local.account}:dbuser:${id}/${user}` })
  expect(findingsIn(resource(`\${aws_db_instance.x.resource_id}`, 'app_ro'))).toEqual([])
  expect(findingsIn(resource('orders', `$\${aws:username}`))).toEqual([
    'error resource-id Statement.0.Resource',
    'warning variable Statement.0.Resource',
  ])
})

test('policiesIn refuses a value that is nested too deeply', () => {
  const lists = JSON.parse('['.repeat(5000) + ']'.repeat(5000))
  expect(() => policiesIn(lists)).toThrow(NestedTooDeep)
  expect(() => policiesIn({ Statement: lists })).toThrow(NestedTooDeep)
})

test('lintStatements takes an element of any type', () => {
  for (const value of [
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
      expect(Array.isArray(lint(policy({ [name]: value })))).toBe(true)
  expect(
    statementsOf(JSON.stringify(policy({ Condition: { IpAddress: { 'aws:SourceIp': null } } }))),
  ).toHaveLength(1)
  expect(USER).toContain('dbuser')
})
