import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfigured } from '../../infra/configured.ts'
import { type Resource, resolveWith, type Template } from './cloudformation.ts'
import { CONFIG, STACK } from './example-stack.ts'
import { listOf, policiesOf, type Statement } from './iam.ts'
import { newJwks } from './jwks.ts'
import { canPackage } from './osls.ts'
import { type Checkout, checkout } from './stack.ts'

const hasOsls = await canPackage()
let copy: Checkout
let template: Template

beforeAll(async () => {
  if (!hasOsls) return
  const files = { 'jeton.yaml': CONFIG, 'cluster-jwks.json': await newJwks(), 'unrelated.json': {} }
  copy = await checkout(files)
  await copy.osls()
  template = await copy.template()
})
afterAll(() => copy?.close())

const resource = (name: string): Resource => template.Resources[name] ?? expect.fail(`there is no ${name}`)
const ofType = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type)
const plain = resolveWith({ values: STACK })
const statementsOf = (document: unknown) => (plain(document) as { Statement: Statement[] }).Statement

describe.runIf(hasOsls)('the function', () => {
  test('runs the bundle on the runtime and processor that it is built for, with its own role', () => {
    expect(ofType('AWS::Lambda::Function')).toHaveLength(1)
    expect(resource('JetonLambdaFunction')).toMatchObject({
      DependsOn: expect.arrayContaining(['JetonPolicy']),
      Properties: {
        Handler: 'dist/lambda/index.handler',
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: 512,
        Timeout: 29,
        Role: { 'Fn::GetAtt': ['JetonRole', 'Arn'] },
        Environment: { Variables: { JETON_CONFIG: 'jeton.yaml', JETON_BASE_PATH: '' } },
      },
    })
  })

  test('can only be called by the HTTP API', () => {
    expect(ofType('AWS::Lambda::Url')).toEqual([])
    const permissions = ofType('AWS::Lambda::Permission')
    expect(permissions).toHaveLength(1)
    expect(plain(permissions[0]![1].Properties)).toMatchObject({
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: 'arn:aws:execute-api:us-east-1:123456789012:api1/*',
    })
    expect(ofType('AWS::ApiGatewayV2::Integration')[0]![1].Properties).toMatchObject({
      PayloadFormatVersion: '2.0',
    })
  })

  test('has a package of the bundle, the configuration and the files that this names, and nothing else', async () => {
    const names = await copy.packaged()
    const others = names.filter(
      name => !/^dist\/lambda\/(index\.mjs|root-pems\.json|modules\/[\w.-]+\.js)$/.test(name),
    )
    expect(others.sort()).toEqual(['cluster-jwks.json', 'jeton.yaml'])
    expect(names).toContain('dist/lambda/index.mjs')
    expect(names.length).toBeGreaterThan(5)
  })
})

describe.runIf(hasOsls)('for least privilege,', () => {
  test('only Lambda may assume the role', () => {
    expect(ofType('AWS::IAM::Role')).toHaveLength(1)
    expect(resource('JetonRole').Properties.AssumeRolePolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    })
    expect(resource('JetonRole').Properties).not.toHaveProperty('ManagedPolicyArns')
    expect(ofType('AWS::IAM::Policy')).toEqual([])
  })

  test('the role may assume the configured roles, and no others', () => {
    const [assuming] = statementsOf(resource('JetonPolicy').Properties.PolicyDocument)
    expect(assuming).toEqual({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Resource: [
        'arn:aws:iam::123456789012:role/jeton-orders',
        'arn:aws:iam::210987654321:role/jeton-ledger',
      ],
    })
  })

  test('the role may call what the configuration needs', async () => {
    const { permissions } = await readConfigured({
      folder: copy.folder,
      config: 'jeton.yaml',
      configInS3: '',
      basePath: '',
    })
    expect(resource('JetonPolicy').Properties.PolicyDocument).toEqual(permissions)
  })

  test('no action and no resource has a wildcard that AWS does not require', () => {
    const wide = policiesOf(template, plain).flatMap(([name, statement]) =>
      [...listOf(statement.Action), ...listOf(statement.Resource)]
        .filter(each => /[*?]/.test(each))
        .map(each => `${name} ${statement.Sid ?? statement.Effect}: ${each}`),
    )
    expect(wide.sort()).toEqual([
      // the streams of the function's own log: one for each execution environment, named by Lambda
      'JetonRole Allow: arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/jeton-prod:*',
      // in the policy of a key, * means the key itself, and AWS accepts nothing else
      'Key Administration: *',
      'Key Alarms: *',
      'Key DataKeys: *',
      'Key NewDataKeys: *',
      'Key Tables: *',
      // denies everything without TLS
      'ServerlessDeploymentBucketPolicy Deny: arn:aws:s3:::bucket1/*',
      'ServerlessDeploymentBucketPolicy Deny: s3:*',
    ])
  })

  test('the key may be used by the role in its context, and by DynamoDB and alarms in this account', () => {
    const statements = statementsOf(resource('Key').Properties.KeyPolicy)
    const uses = /^kms:(Encrypt|Decrypt|ReEncrypt|GenerateDataKey|CreateGrant)/
    const users = statements.filter(({ Action }) => listOf(Action).some(action => uses.test(action)))
    expect(users.map(({ Sid, Principal, Condition }) => ({ Sid, Principal, Condition }))).toEqual([
      {
        Sid: 'NewDataKeys',
        Principal: { AWS: STACK['JetonRole.Arn'] },
        Condition: {
          StringEquals: { 'kms:EncryptionContext:service': 'jeton', 'kms:EncryptionContext:table': 'jeton' },
          StringLike: { 'kms:EncryptionContext:key': 'data-key/*' },
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['service', 'table', 'key'] },
        },
      },
      {
        Sid: 'DataKeys',
        Principal: { AWS: STACK['JetonRole.Arn'] },
        Condition: {
          StringEquals: { 'kms:EncryptionContext:service': 'jeton', 'kms:EncryptionContext:table': 'jeton' },
          StringLikeIfExists: { 'kms:EncryptionContext:key': 'data-key/*' },
          'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['service', 'table', 'key'] },
        },
      },
      {
        Sid: 'Tables',
        Principal: { AWS: '*' },
        Condition: {
          StringEquals: {
            'kms:CallerAccount': '123456789012',
            'kms:ViaService': 'dynamodb.us-east-1.amazonaws.com',
          },
        },
      },
      {
        Sid: 'Alarms',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
      },
    ])
  })
})

describe.runIf(hasOsls)('the stack keeps', () => {
  test.each([
    ['StoreTable', 'jeton'],
    ['AuditTable', 'jeton-audit'],
  ])(
    '%s after the stack is deleted and against accidents, encrypted with the key of the stack',
    (name, tableName) => {
      expect(resource(name)).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          TableName: tableName,
          BillingMode: 'PAY_PER_REQUEST',
          TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          DeletionProtectionEnabled: true,
          SSESpecification: {
            SSEEnabled: true,
            SSEType: 'KMS',
            KMSMasterKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] },
          },
        },
      })
    },
  )

  test('the key, which is rotated and has the configured alias, after the stack is deleted', () => {
    expect(resource('Key')).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { EnableKeyRotation: true, PendingWindowInDays: 30 },
    })
    expect(resource('KeyAlias').Properties).toEqual({
      AliasName: 'alias/jeton',
      TargetKeyId: { Ref: 'Key' },
    })
  })

  test('packages and alarms encrypted, and packages private', () => {
    expect(resource('AlarmTopic').Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': ['Key', 'Arn'] })
    expect(resource('ServerlessDeploymentBucket').Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
    })
  })

  test('every log for a year', () => {
    const groups = ofType('AWS::Logs::LogGroup')
    expect(groups.map(([, { Properties }]) => Properties)).toEqual([
      { LogGroupName: '/aws/lambda/jeton-prod', RetentionInDays: 365 },
      { LogGroupName: '/aws/http-api/jeton-prod', RetentionInDays: 365 },
    ])
  })
})

describe.runIf(hasOsls)('the HTTP API', () => {
  test('is throttled as a whole', () => {
    expect(resource('HttpApiStage').Properties.DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
    })
  })

  test('logs where each request came from, when, and how it ended, but no text of the caller that could be a credential', () => {
    const { Format } = resource('HttpApiStage').Properties.AccessLogSettings as { Format: string }
    expect(JSON.parse(Format)).toEqual({
      requestId: '$context.requestId',
      time: '$context.requestTime',
      ip: '$context.identity.sourceIp',
      method: '$context.httpMethod',
      status: '$context.status',
      responseLength: '$context.responseLength',
      latencyMs: '$context.responseLatency',
      integrationStatus: '$context.integrationStatus',
      integrationError: '$context.integrationErrorMessage',
    })
  })
})

test.runIf(hasOsls)('the alarms on headroom are in the stack, and watch its own metrics', () => {
  const alarms = ofType('AWS::CloudWatch::Alarm').filter(([name]) => name.startsWith('HeadroomNearlyUsed'))
  expect(alarms).toHaveLength(2)
  for (const [, { Properties }] of alarms)
    expect(Properties.Metrics).toContainEqual(
      expect.objectContaining({
        MetricStat: expect.objectContaining({ Metric: expect.objectContaining({ Namespace: 'jeton/prod' }) }),
      }),
    )
})
