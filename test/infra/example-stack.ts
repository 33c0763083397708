import { ORDERS } from '../support/databases/orders.ts'
import { LEDGER } from '../support/service/test-environment.ts'

/** A configuration with databases in two accounts, and a file that it names. */
export const CONFIG = {
  issuers: {
    ci: { issuer: 'https://ci.example.com', audience: 'jeton', tenancy: 'private' },
    cluster: { issuer: 'https://kubernetes.default.svc', audience: 'jeton', jwksFile: 'cluster-jwks.json' },
  },
  databases: {
    orders: {
      engine: 'postgres',
      host: ORDERS.host,
      resourceId: ORDERS.resourceId,
      roleArn: ORDERS.roleArn,
      users: ORDERS.users,
    },
    'orders-batch': {
      engine: 'postgres',
      host: ORDERS.host,
      resourceId: ORDERS.resourceId,
      roleArn: ORDERS.roleArn,
      users: ['batch'],
    },
    ledger: {
      engine: 'mariadb',
      host: LEDGER.host.replace('us-east-1', 'eu-west-1'),
      resourceId: LEDGER.resourceId,
      roleArn: 'arn:aws:iam::210987654321:role/jeton-ledger',
      users: ['app_rw'],
      limits: { newTokensPerSecond: 8 },
    },
  },
  grants: [
    { name: 'all', principal: { issuer: 'ci', anyone: true }, database: 'orders', users: ORDERS.users },
  ],
  store: { type: 'dynamodb', table: 'jeton', encryption: { kmsKeyId: 'alias/jeton' } },
  audit: [{ type: 'dynamodb', table: 'jeton-audit' }, { type: 'stdout' }],
}

const REGION_AND_ACCOUNT = 'us-east-1:123456789012'

/** The values of a deployed stack, for `resolveWith`. */
export const STACK = {
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
  HttpApi: 'api1',
  JetonLambdaFunction: 'jeton-prod',
  'JetonLambdaFunction.Arn': `arn:aws:lambda:${REGION_AND_ACCOUNT}:function:jeton-prod`,
  'JetonRole.Arn': 'arn:aws:iam::123456789012:role/jeton-prod-JetonRole-1',
  'JetonLogGroup.Arn': `arn:aws:logs:${REGION_AND_ACCOUNT}:log-group:/aws/lambda/jeton-prod:*`,
  'Key.Arn': `arn:aws:kms:${REGION_AND_ACCOUNT}:key/11111111-2222-3333-4444-555555555555`,
  'StoreTable.Arn': `arn:aws:dynamodb:${REGION_AND_ACCOUNT}:table/jeton`,
  'AuditTable.Arn': `arn:aws:dynamodb:${REGION_AND_ACCOUNT}:table/jeton-audit`,
  AlarmTopic: `arn:aws:sns:${REGION_AND_ACCOUNT}:alarms1`,
  ServerlessDeploymentBucket: 'bucket1',
}
