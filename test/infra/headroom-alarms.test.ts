import { expect, test } from 'vitest'
import { headroomAlarms } from '../../infra/headroom-alarms.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { anchorsOf, readDocsPage } from '../support/markdown.ts'
import { readTemplate } from './cloudformation.ts'
import { countedBy, isCounted } from './metrics.ts'

interface Metric {
  readonly Id: string
  readonly Expression?: string
  readonly ReturnData?: boolean
  readonly MetricStat?: {
    readonly Metric: {
      readonly MetricName: string
      readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[]
    }
    readonly Period: number
  }
}

const batch = { ...ORDERS, name: 'orders-batch' }
const ledger = { ...ORDERS, name: 'ledger', resourceId: 'cluster-X', newTokensPerSecond: 0.5 }
const alarms = headroomAlarms([ORDERS, ledger, batch])
const metricsOf = (at: number) => Object.values(alarms)[at]?.Properties.Metrics as readonly Metric[]

test('headroomAlarms watches each RDS resource against its limit, with the new tokens of all its databases', () => {
  expect(Object.keys(alarms)).toEqual(
    [0, 1].map(() => expect.stringMatching(/^HeadroomNearlyUsed[0-9a-f]{8}$/)),
  )
  const [used, ...counted] = metricsOf(0)
  expect(used).toMatchObject({ Expression: '100 * (FILL(new0, 0) + FILL(new1, 0)) / 4800' })
  expect(counted.map(({ Id, MetricStat }) => [Id, MetricStat?.Metric.Dimensions[0]?.Value])).toEqual([
    ['new0', 'orders'],
    ['new1', 'orders-batch'],
  ])
  expect(metricsOf(1)[0]).toMatchObject({ Expression: '100 * (FILL(new0, 0)) / 150' })
})

test('headroomAlarms keeps an alarm’s name while databases come and go', () => {
  expect(Object.keys(headroomAlarms([ledger, ORDERS])).toReversed()).toEqual(Object.keys(alarms))
})

test('headroomAlarms rests on a metric that is counted, stays quiet without data and leads to a runbook', async () => {
  const counted = countedBy(await readTemplate('metrics.yml'))
  const anchors = anchorsOf(await readDocsPage('runbooks'))
  for (const { Properties } of Object.values(alarms)) {
    const [used, ...metrics] = Properties.Metrics as readonly Metric[]
    expect(used?.ReturnData).toBeUndefined()
    for (const { MetricStat, ReturnData } of metrics) {
      const { MetricName: metric, Dimensions } = MetricStat!.Metric
      expect(ReturnData).toBe(false)
      expect(isCounted(counted, { metric, dimension: Dimensions[0]?.Name })).toBe(true)
    }
    expect(Properties).toMatchObject({
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
    })
    const [, anchor] = /docs\/runbooks\.md#(.+)$/.exec(String(Properties.AlarmDescription)) ?? []
    expect(anchors).toContain(anchor)
  }
})
