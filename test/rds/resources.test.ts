import { expect, test } from 'vitest'
import { resourcesOf } from '../../src/rds/resources.ts'
import { ORDERS } from '../support/databases/orders.ts'

test('resourcesOf groups databases by what RDS throttles, and tells two with one id apart', () => {
  const batch = { ...ORDERS, name: 'orders-batch' }
  const abroad = { ...ORDERS, name: 'abroad', region: 'eu-west-1' }
  const ledger = { ...ORDERS, name: 'ledger', resourceId: 'cluster-X' }
  const found = resourcesOf([ORDERS, ledger, batch, abroad])
  expect(found.map(({ name, databases }) => [name, databases.map(each => each.name)])).toEqual([
    [`${ORDERS.account}/us-east-1/${ORDERS.resourceId}`, ['orders', 'orders-batch']],
    ['cluster-X', ['ledger']],
    [`${ORDERS.account}/eu-west-1/${ORDERS.resourceId}`, ['abroad']],
  ])
})
