import { describe, expect, test } from 'vitest'
import { createFloodControl } from '../../src/audit/flood-control.ts'
import { INDIVIDUAL_LIMIT } from '../../src/audit/flood-limits.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { STATUS } from '../../src/errors.ts'
import { LOG_EVENTS } from '../../src/telemetry/log-events.ts'
import { record } from '../audit/support.ts'
import { anchorsOf, readDocsPage } from '../support/markdown.ts'
import { readTemplate } from './cloudformation.ts'
import { countedBy, isCounted, sums } from './metrics.ts'

const counted = countedBy(await readTemplate('metrics.yml'))
const alarms = Object.entries((await readTemplate('alarms.yml')).Resources)
  .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
  .map(([name, { Properties }]) => ({ name, ...(Properties as unknown as Alarm) }))

interface Alarm {
  readonly AlarmDescription: string
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions?: readonly [{ readonly Name: string; readonly Value: unknown }]
  readonly Threshold: number
  readonly TreatMissingData: string
  readonly ComparisonOperator: string
  readonly AlarmActions: unknown
}

const vended = record({ grant: 'orders-deploy', database: 'orders', user: 'migrator', cached: false })
const refusal = (fields: Partial<AuditRecord>) => record({ decision: 'refused', ...fields })
const counts = (...records: AuditRecord[]) => sums(counted, records.map(renderRecord))

describe('the metrics of audit records', () => {
  test('count a vend, and a new token for its database too', () => {
    expect(counts(vended, { ...vended, cached: true })).toEqual({ Vended: 2, 'NewTokens/orders': 1 })
  })

  test('count refusals and failures by their code', () => {
    expect(
      counts(
        refusal({ code: 'access_denied', database: 'payroll' }),
        refusal({ code: 'rate_limited' }),
        refusal({ code: 'throttled', grant: 'orders-deploy', database: 'orders' }),
        record({ decision: 'failed', code: 'role_refused', grant: 'orders-deploy', database: 'orders' }),
      ),
    ).toEqual({
      Refused: 3,
      Failed: 1,
      'ByCode/access_denied': 1,
      'ByCode/rate_limited': 1,
      'ByCode/throttled': 1,
      'ByCode/role_refused': 1,
      'ThrottledTurns/orders': 1,
    })
  })

  test('count a whole flood, though few of its refusals have a record of their own', () => {
    const written: AuditRecord[] = []
    const flood = createFloodControl({ write: ({ record }) => written.push(record) })
    const size = 7 * INDIVIDUAL_LIMIT
    const record = refusal({ code: 'rate_limited', sourceIp: '192.0.2.1' })
    for (let i = 0; i < size; i++) flood.admit({ record }, 0).write()
    flood.flush()
    expect(written.length).toBeLessThan(size)
    expect(counts(...written)).toEqual({ Refused: size, 'ByCode/rate_limited': size })
  })

  test('have no dimension that callers can choose: a database without a grant is not one', () => {
    const words = Array.from({ length: 50 }, (_, i) => `word-${i}`)
    const totals = counts(
      ...words.map(word => refusal({ code: 'access_denied', database: word, userAgent: word, user: word })),
    )
    expect(totals).toEqual({ Refused: 50, 'ByCode/access_denied': 50 })
  })

  test('do not take the text in a record for a line of the program', () => {
    const text = 'audit_failing'
    const forged = renderRecord(
      refusal({ code: 'access_denied', userAgent: text, user: `","event":"${text}`, reason: text }),
    )
    expect(Object.keys(sums(counted, [forged]))).toEqual(['Refused', 'ByCode/access_denied'])
  })
})

describe('the metrics of the program’s log', () => {
  const countedEvents = counted.flatMap(({ metric, pattern }) =>
    [...(pattern.includes('&&') ? '' : pattern).matchAll(/\$\.event = "([^"]*)"/g)].map(([, event = '']) => ({
      metric,
      event,
    })),
  )

  test('count what fails and what an operator must fix', () => {
    expect([...new Set(countedEvents.map(({ metric }) => metric))]).toEqual([
      'AuditFailures',
      'MissingRecords',
      'StsFailures',
      'StoreFailures',
      'KmsFailures',
      'UnreadableRecords',
      'KeySetFailures',
      'BrokenConfigurations',
      'FailedStarts',
      'ClockCorrections',
    ])
  })

  test.each(countedEvents)(
    'count the event $event in $metric, whatever its sentence',
    ({ metric, event }) => {
      expect(LOG_EVENTS).toContain(event)
      const line = JSON.stringify({
        level: 'warn',
        time: '2026-11-23T10:00:00.000Z',
        event,
        msg: 'any words',
      })
      expect(sums(counted, [line])).toEqual({ [metric]: 1 })
    },
  )

  test('take numbers out of the lines of each minute, and nothing if they are left out', () => {
    const slots = { event: 'slots_read', resource: 'db-ORDERS', perSecond: 16 }
    const lines = [
      { ...slots, free: 12, reserved: 4 },
      { ...slots, readMsAgo: 90_000 },
      { event: 'instance_read', caBundleDays: 400 },
      { event: 'instance_read', failingKeysSeconds: 3600 },
      { event: 'instance_read' },
    ].map(line => JSON.stringify(line))
    expect(sums(counted, lines)).toEqual({
      'SlotsFree/db-ORDERS': 12,
      CaBundleDays: 400,
      FailingKeysAge: 3600,
    })
    const none = JSON.stringify({ ...slots, free: 0 })
    expect(counted.filter(({ matches }) => matches(none)).map(({ metric }) => metric)).toEqual(['SlotsFree'])
  })

  test('never depend on a sentence', () => {
    expect(counted.filter(({ pattern }) => pattern.includes('$.msg'))).toEqual([])
  })
})

describe('alarms', () => {
  test.each([
    ['5xx', undefined],
    ['Latency', undefined],
    ['Throttles', undefined],
    ['Refused', undefined],
    ['AuditFailures', undefined],
    ['MissingRecords', undefined],
    ['StsFailures', undefined],
    ['StoreFailures', undefined],
    ['KmsFailures', undefined],
    ['UnreadableRecords', undefined],
    ['BrokenConfigurations', undefined],
    ['FailedStarts', undefined],
    ['KeySetFailures', undefined],
    ['FailingKeysAge', undefined],
    ['CaBundleDays', undefined],
    ['ByCode', 'throttled'],
    ['ByCode', 'role_refused'],
    ['ByCode', 'internal_error'],
  ])('include one on %s %s', (metric, code) => {
    const matching = alarms.filter(
      ({ MetricName, Dimensions }) =>
        MetricName === metric && (code === undefined || Dimensions?.[0].Value === code),
    )
    expect(matching).toHaveLength(1)
  })

  test('each watch a metric that is counted, notify the topic, and stay quiet without data', () => {
    for (const alarm of alarms) {
      expect(alarm.AlarmActions).toEqual([{ Ref: 'AlarmTopic' }])
      expect(alarm.TreatMissingData).toBe('notBreaching')
      const endsAtZero = alarm.MetricName === 'CaBundleDays'
      expect(alarm.ComparisonOperator).toBe(
        endsAtZero ? 'LessThanThreshold' : 'GreaterThanOrEqualToThreshold',
      )
      expect(alarm.Threshold).toBeGreaterThan(0)
      if (alarm.Namespace.startsWith('AWS/')) continue
      const dimension = alarm.Dimensions?.[0].Name
      expect(isCounted(counted, { metric: alarm.MetricName, dimension }), alarm.name).toBe(true)
    }
  })

  test('lead to runbooks that exist, if they lead to one', async () => {
    const anchors = anchorsOf(await readDocsPage('runbooks'))
    const led = alarms.flatMap(
      ({ AlarmDescription }) => /docs\/runbooks\.md#(.+)$/.exec(AlarmDescription)?.[1] ?? [],
    )
    expect(led.length).toBeGreaterThan(10)
    expect(anchors).toEqual(expect.arrayContaining(led))
  })

  test('watch only codes that exist', () => {
    const codes = alarms.filter(({ MetricName }) => MetricName === 'ByCode')
    for (const { Dimensions } of codes) expect(Object.keys(STATUS)).toContain(Dimensions?.[0].Value)
  })
})
