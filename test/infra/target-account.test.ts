import { describe, expect, test } from 'vitest'
import { databaseRole } from '../../src/iam/database-role.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { readTemplate, resolveWith } from './cloudformation.ts'

const { Parameters = {}, Resources } = await readTemplate('target-account.yml')
const trusted = 'arn:aws:iam::111111111111:role/jeton-prod-JetonRole-1'
const names = ['orders.app_ro', 'orders.migrator']
const dbuser = (user: string) => `arn:aws:rds-db:us-east-1:123456789012:dbuser:${ORDERS.resourceId}/${user}`

function role(externalId: string) {
  const values = {
    RoleName: 'jeton-orders',
    JetonRoleArn: trusted,
    ExternalId: externalId,
    SessionNames: names,
    DatabaseUserArns: ['app_ro', 'migrator'].map(dbuser),
  }
  expect(Object.keys(Parameters)).toEqual(Object.keys(values))
  return resolveWith({ values, conditions: { HasExternalId: externalId !== '' } })(
    Resources.Role?.Properties,
  ) as Record<string, unknown>
}

test.each([undefined, 'acme-7'])(
  'the template has the role that `jeton iam` prints, with external id %s',
  externalId => {
    const database = { ...ORDERS, users: ['app_ro', 'migrator'], ...(externalId && { externalId }) }
    const { trust, permissions } = databaseRole({
      roleArn: database.roleArn,
      databases: [database],
      grants: [],
      trusted,
    })
    const { AssumeRolePolicyDocument, Policies, MaxSessionDuration, RoleName } = role(externalId ?? '')
    expect(AssumeRolePolicyDocument).toEqual(trust)
    expect(Policies).toEqual([{ PolicyName: 'jeton', PolicyDocument: permissions }])
    expect(MaxSessionDuration).toBe(3600)
    expect(RoleName).toBe('jeton-orders')
  },
)

describe('the parameters of the template', () => {
  test.each([
    ['DatabaseUserArns', dbuser('migrator'), true],
    ['DatabaseUserArns', dbuser('*'), false],
    ['DatabaseUserArns', dbuser('app_?'), false],
    ['DatabaseUserArns', dbuser(`$\{aws:username}`), false],
    ['DatabaseUserArns', 'arn:aws:rds-db:us-east-1:123456789012:dbuser:*/migrator', false],
    ['DatabaseUserArns', 'arn:aws:rds-db:*:123456789012:dbuser:db-ABC/migrator', false],
    ['DatabaseUserArns', 'arn:aws:rds:us-east-1:123456789012:db:orders', false],
    ['JetonRoleArn', trusted, true],
    ['JetonRoleArn', '*', false],
    ['JetonRoleArn', 'arn:aws:iam::111111111111:role/*', false],
    ['JetonRoleArn', 'arn:aws:iam::111111111111:root', false],
    ['ExternalId', '', true],
    ['ExternalId', 'acme-7', true],
    ['ExternalId', '*', false],
  ])('%s may be %s: %s', (name, value, isAllowed) => {
    const { AllowedPattern = '' } = Parameters[name] ?? {}
    expect(new RegExp(`^(?:${AllowedPattern})$`).test(value)).toBe(isAllowed)
  })
})
