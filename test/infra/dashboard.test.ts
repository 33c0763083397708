import { expect, test } from 'vitest'
import { dashboardBody } from '../../infra/dashboard.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { readTemplate } from './cloudformation.ts'
import { countedBy, isCounted } from './metrics.ts'

const batch = { ...ORDERS, name: 'orders-batch' }
const cluster = {
  ...ORDERS,
  name: 'ledger',
  kind: 'cluster' as const,
  host: 'ledger.cluster-c9akciq32xyz.eu-west-1.rds.amazonaws.com',
  region: 'eu-west-1',
  account: '210987654321',
  resourceId: 'cluster-X',
  newTokensPerSecond: 8,
}
const proxy = {
  ...ORDERS,
  name: 'by-proxy',
  kind: 'proxy' as const,
  host: 'orders.proxy-c9akciq32xyz.us-east-1.rds.amazonaws.com',
  resourceId: 'prx-1',
}
const { widgets } = JSON.parse(dashboardBody([ORDERS, batch, cluster, proxy])) as {
  widgets: { x: number; y: number; width: number; properties: Properties }[]
}

interface Properties {
  title: string
  metrics: [string, string, ...unknown[]][]
  annotations?: { horizontal: { label: string; value: number }[] }
}

const titled = (title: string) =>
  widgets.find(({ properties }) => properties.title === title)?.properties ?? expect.fail(`no ${title}`)

test("dashboardBody shows new tokens against RDS's limit, for databases that share it in one graph", () => {
  const { metrics, annotations } = titled('orders, orders-batch: new tokens a minute')
  expect(metrics.map(([, name, dimension, value]) => [name, dimension, value])).toEqual([
    ['NewTokens', 'Database', 'orders'],
    ['NewTokens', 'Database', 'orders-batch'],
    [undefined, undefined, undefined],
  ])
  expect(annotations?.horizontal.map(({ value }) => value)).toEqual([16 * 60, 20 * 60])
  expect(titled('ledger: new tokens a minute').annotations?.horizontal[0]?.value).toBe(8 * 60)
})

test("dashboardBody shows RDS's own count of throttled logins, in the database's region and account", () => {
  const name = 'IamDbAuthConnectionFailureThrottling'
  const ofRds = widgets.flatMap(({ properties }) => properties.metrics.filter(([, each]) => each === name))
  expect(ofRds).toEqual([
    ['AWS/RDS', name, 'DBInstanceIdentifier', 'orders', expect.objectContaining({ region: 'us-east-1' })],
    [
      'AWS/RDS',
      name,
      'DBClusterIdentifier',
      'ledger',
      expect.objectContaining({ region: 'eu-west-1', accountId: '210987654321' }),
    ],
  ])
})

test('dashboardBody shows the slots that are free, by the name that their line has', () => {
  const { metrics } = titled('ledger: slots free in the next second')
  expect(metrics).toEqual([[expect.any(String), 'SlotsFree', 'Resource', 'cluster-X']])
})

test('dashboardBody shows no metric of the stack that is not counted', async () => {
  const ownMetrics = widgets.flatMap(({ properties }) =>
    properties.metrics.filter(([namespace]) => String(namespace) === `$\{Namespace}`),
  )
  expect(ownMetrics.length).toBeGreaterThan(10)
  const counted = countedBy(await readTemplate('metrics.yml'))
  for (const [, metric, dimension] of ownMetrics)
    expect(isCounted(counted, { metric, dimension: String(dimension ?? '') || undefined }), metric).toBe(true)
})

test('dashboardBody puts no widget over another', () => {
  const cells = widgets.flatMap(({ x, y, width }) => Array.from({ length: width }, (_, i) => `${x + i} ${y}`))
  expect(new Set(cells).size).toBe(cells.length)
})
