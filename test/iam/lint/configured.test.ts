import { expect, test } from 'vitest'
import { missingUserFindings, unknownResourceFindings } from '../../../src/iam/lint/configured.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { briefly, policy, statementsOf, USER } from './support.ts'

const LEDGER = { ...ORDERS, name: 'ledger', resourceId: 'cluster-ABC', users: ['app_rw'] }
const databases = [ORDERS, LEDGER]
const statements = (...resources: string[]) => statementsOf(JSON.stringify(policy({ Resource: resources })))
const at = 'Statement.0.Resource.0'

test.each([
  [USER, []],
  [USER.replace('us-east-1', 'us-west-2'), [`error region ${at}`]],
  [USER.replace('123456789012', '210987654321'), [`error account ${at}`]],
  [USER.replace('arn:aws:', 'arn:aws-cn:'), [`error partition ${at}`]],
  [USER.replace('app_ro', 'admin'), [`warning not-configured ${at}`]],
  [USER.replace(/db-[A-Z]+/, 'db-OTHER'), [`warning not-configured ${at}`]],
  // lintStatements finds these already
  [USER.replace(/db-[A-Z]+/, 'orders'), []],
  [USER.replace('app_ro', '*').replace('us-east-1', '*'), []],
  ['*', []],
])('unknownResourceFindings for %s: %j', (resource, findings) => {
  expect(briefly(unknownResourceFindings(statements(resource), databases))).toEqual(findings)
})

test('unknownResourceFindings names the configured region', () => {
  const [finding] = unknownResourceFindings(statements(USER.replace('us-east-1', 'eu-west-1')), databases)
  expect(finding?.message).toBe(
    `eu-west-1 is not the region of ${ORDERS.resourceId}: databases.orders is configured with us-east-1`,
  )
})

test('missingUserFindings returns users that no statement allows, of databases whose policy this is', () => {
  const missing = (...resources: string[]) =>
    missingUserFindings(statements(...resources), databases).map(({ path }) => path.join('.'))
  expect(missing(USER)).toEqual(['databases.orders.users.1', 'databases.orders.users.2'])
  expect(missing(USER, USER.replace('app_ro', 'app_rw'))).toEqual(['databases.orders.users.2'])
  expect(missing(USER.replace('app_ro', '*'))).toEqual([])
  expect(missing('*')).toEqual([])
  expect(missing(USER.replace('us-east-1', 'us-west-2'))).toHaveLength(3)
  expect(missing(USER.replace(/db-[A-Z]+/, 'db-OTHER'))).toEqual([])
})

test('missingUserFindings ignores statements that deny, and takes NotResource to cover all but what it names', () => {
  const denying = statementsOf(JSON.stringify(policy({ Effect: 'Deny', Resource: '*' })))
  expect(missingUserFindings([...denying, ...statements(USER)], databases)).toHaveLength(2)
  const allButOne = { Effect: 'Allow', Action: 'rds-db:*', NotResource: USER }
  const covering = statementsOf(JSON.stringify({ Statement: allButOne }))
  expect(missingUserFindings(covering, [ORDERS]).map(({ path }) => path.at(-1))).toEqual([0])
})
