import { sha256Hex } from '../src/lib/hash.ts'
import type { Database } from '../src/rds/database.ts'
import { type RdsResource, resourcesOf } from '../src/rds/resources.ts'

/** An alarm, as CloudFormation takes it. */
export interface HeadroomAlarm {
  readonly Type: 'AWS::CloudWatch::Alarm'
  readonly Properties: Readonly<Record<string, unknown>>
}

/** How much of the limit may be used, in percent, before somebody is told. */
const NEARLY_USED = 80
const PERIOD_SECONDS = 300

/**
 * Returns an alarm for each RDS resource, by its logical id: the new tokens of all execution environments together near the
 * limit for ten minutes. CloudWatch counts them in the audit records, so nothing that is only known to one of them is missing.
 */
export function headroomAlarms(databases: readonly Database[]): Record<string, HeadroomAlarm> {
  return Object.fromEntries(
    resourcesOf(databases).map(resource => [
      `HeadroomNearlyUsed${sha256Hex(resource.key).slice(0, 8)}`,
      alarmOf(resource),
    ]),
  )
}

function alarmOf({ databases }: RdsResource): HeadroomAlarm {
  const names = databases.map(({ name }) => name)
  const perSecond = Math.min(...databases.map(({ newTokensPerSecond }) => newTokensPerSecond))
  // a database without a new token in this time has no value
  const together = names.map((_, i) => `FILL(new${i}, 0)`).join(' + ')
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: `${names.join(', ')}: new tokens are at ${NEARLY_USED} % of their limit. Soon callers wait, then they get 429. Runbook: docs/runbooks.md#throttled`,
      Metrics: [
        {
          Id: 'used',
          Label: 'percent of the limit',
          Expression: `100 * (${together}) / ${perSecond * PERIOD_SECONDS}`,
        },
        ...names.map((name, i) => ({
          Id: `new${i}`,
          ReturnData: false,
          MetricStat: {
            Metric: {
              // osls fills it in
              Namespace: `$\{self:custom.metrics}`,
              MetricName: 'NewTokens',
              Dimensions: [{ Name: 'Database', Value: name }],
            },
            Period: PERIOD_SECONDS,
            Stat: 'Sum',
          },
        })),
      ],
      EvaluationPeriods: 2,
      Threshold: NEARLY_USED,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
    },
  }
}
