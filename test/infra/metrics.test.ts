import { describe, expect, test } from 'vitest'
import { createFloodControl, INDIVIDUAL_LIMIT } from '../../src/audit/flood-control.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { STATUS } from '../../src/errors.ts'
import { LOG_EVENTS } from '../../src/telemetry/log-events.ts'
import { record } from '../audit/support.ts'
import { readTemplate } from './cloudformation.ts'
import { countedBy, isCounted, sums } from './metrics.ts'

const counted = countedBy(await readTemplate('metrics.yml'))
const alarms = Object.entries((await readTemplate('alarms.yml')).Resources)
  .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
  .map(([name, { Properties }]) => ({ name, ...(Properties as unknown as Alarm) }))

interface Alarm {
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

describe('of audit records', () => {
  test('a vend counts, a new token for its database too', () => {
    expect(counts(vended, { ...vended, cached: true })).toEqual({ Vended: 2, 'NewTokens/orders': 1 })
  })

  test('refusals and failures count by their code', () => {
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

  test('a flood counts whole, though few of its refusals are written one by one', () => {
    const written: AuditRecord[] = []
    const flood = createFloodControl(each => written.push(each))
    const size = 7 * INDIVIDUAL_LIMIT
    for (let i = 0; i < size; i++) flood.record(refusal({ code: 'rate_limited', sourceIp: '192.0.2.1' }), 0)
    flood.flush()
    expect(written.length).toBeLessThan(size)
    expect(counts(...written)).toEqual({ Refused: size, 'ByCode/rate_limited': size })
  })

  test('no caller makes metrics of his own words: databases that are not granted are no dimension', () => {
    const words = Array.from({ length: 50 }, (_, i) => `word-${i}`)
    const told = counts(
      ...words.map(word => refusal({ code: 'access_denied', database: word, userAgent: word, user: word })),
    )
    expect(told).toEqual({ Refused: 50, 'ByCode/access_denied': 50 })
  })

  test('the text in a record passes for no line of the program', () => {
    const text = 'audit_failing'
    const forged = renderRecord(
      refusal({ code: 'access_denied', userAgent: text, user: `","event":"${text}`, reason: text }),
    )
    expect(Object.keys(sums(counted, [forged]))).toEqual(['Refused', 'ByCode/access_denied'])
  })
})

describe('of lines of the program', () => {
  const wanted = counted.flatMap(({ metric, pattern }) =>
    [...pattern.matchAll(/\$\.event = "([^"]*)"/g)].map(([, event = '']) => ({ metric, event })),
  )

  test('there are metrics for what fails and what has to be mended', () => {
    expect([...new Set(wanted.map(({ metric }) => metric))]).toEqual([
      'AuditFailures',
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

  test.each(wanted)('$metric counts the event $event, whatever its sentence', ({ metric, event }) => {
    expect(LOG_EVENTS).toContain(event)
    const line = JSON.stringify({ level: 'warn', time: '2026-11-23T10:00:00.000Z', event, msg: 'any words' })
    expect(sums(counted, [line])).toEqual({ [metric]: 1 })
  })

  test('no filter looks at a sentence', () => {
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
    ['StsFailures', undefined],
    ['StoreFailures', undefined],
    ['KmsFailures', undefined],
    ['UnreadableRecords', undefined],
    ['BrokenConfigurations', undefined],
    ['FailedStarts', undefined],
    ['ByCode', 'throttled'],
    ['ByCode', 'role_refused'],
    ['ByCode', 'internal_error'],
  ])('there is one on %s %s', (metric, code) => {
    const found = alarms.filter(
      ({ MetricName, Dimensions }) =>
        MetricName === metric && (code === undefined || Dimensions?.[0].Value === code),
    )
    expect(found).toHaveLength(1)
  })

  test('each looks at a metric that is counted, goes to the topic, and is quiet where nothing is', () => {
    for (const alarm of alarms) {
      expect(alarm.AlarmActions).toEqual([{ Ref: 'AlarmTopic' }])
      expect(alarm.TreatMissingData).toBe('notBreaching')
      expect(alarm.ComparisonOperator).toBe('GreaterThanOrEqualToThreshold')
      expect(alarm.Threshold).toBeGreaterThan(0)
      if (alarm.Namespace.startsWith('AWS/')) continue
      const dimension = alarm.Dimensions?.[0].Name
      expect(isCounted(counted, { metric: alarm.MetricName, dimension }), alarm.name).toBe(true)
    }
  })

  test('codes in them are codes that there are', () => {
    const codes = alarms.filter(({ MetricName }) => MetricName === 'ByCode')
    for (const { Dimensions } of codes) expect(Object.keys(STATUS)).toContain(Dimensions?.[0].Value)
  })
})
