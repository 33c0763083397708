import { expect, test } from 'vitest'
import { readTemplate } from '../support/aws/dynamodb-tables.ts'

const { Parameters, Resources, Outputs } = await readTemplate()
const resource = (name: string) => Resources[name] ?? expect.fail(`there is no ${name}`)

test.each([
  ['StoreTable', 'jeton'],
  ['AuditTable', 'jeton-audit'],
])(
  '%s is billed on demand, expires by ttl, can be restored, and is protected from deletion and encrypted',
  (name, defaultName) => {
    const { Type, DeletionPolicy, UpdateReplacePolicy, Properties } = resource(name)
    expect(Type).toBe('AWS::DynamoDB::Table')
    expect(DeletionPolicy).toBe('Retain')
    expect(UpdateReplacePolicy).toBe('Retain')
    expect(Parameters[`${name}Name`]?.Default).toBe(defaultName)
    expect(Properties).toMatchObject({
      TableName: { Ref: `${name}Name` },
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    })
  },
)

test('AuditTable has an index by principal without a second copy of its records', () => {
  expect(resource('AuditTable').Properties.GlobalSecondaryIndexes).toEqual([
    {
      IndexName: 'byPrincipal',
      KeySchema: [
        { AttributeName: 'principal', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ])
})

const store = { 'Fn::GetAtt': 'StoreTable.Arn' }
const audit = { 'Fn::GetAtt': 'AuditTable.Arn' }

test.each([
  [
    'JetonPolicy',
    [
      { Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:PutItem'], Resource: store },
      { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: audit },
    ],
  ],
  [
    'AuditReaderPolicy',
    [
      {
        Effect: 'Allow',
        Action: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
        Resource: [audit, { 'Fn::Join': ['/', [audit, 'index/byPrincipal']] }],
      },
    ],
  ],
])('%s allows exactly the calls that are made, on its tables', (name, statements) => {
  expect(resource(name).Properties.PolicyDocument).toEqual({ Version: '2012-10-17', Statement: statements })
})

test('the template creates nothing else, and has an output for each resource', () => {
  expect(Object.keys(Resources)).toEqual(['StoreTable', 'AuditTable', 'JetonPolicy', 'AuditReaderPolicy'])
  expect(Object.keys(Outputs).sort()).toEqual([
    'AuditReaderPolicyArn',
    'AuditTableArn',
    'AuditTableName',
    'JetonPolicyArn',
    'StoreTableArn',
    'StoreTableName',
  ])
})
