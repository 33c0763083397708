import type { Template } from './cloudformation.ts'
import { filterPattern } from './filter-pattern.ts'

/** A metric that a filter of the stack counts. */
export interface CountedMetric {
  readonly filter: string
  readonly metric: string
  readonly namespace: string
  readonly pattern: string
  /** The name of the dimension, and the member of the line that has its value. */
  readonly dimension: { readonly name: string; readonly member: string } | undefined
  /** Whether a line has a value of the metric, which may be 0. */
  matches(line: string): boolean
  /** Returns what a line adds to the metric; 0 if it does not match. */
  count(line: string): number
}

/** Returns what the metric filters of a template count. */
export function countedBy({ Resources }: Pick<Template, 'Resources'>): CountedMetric[] {
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::Logs::MetricFilter')
    .map(([filter, { Properties }]) => metricOf(filter, Properties as unknown as FilterProperties))
}

interface FilterProperties {
  readonly LogGroupName: unknown
  readonly FilterPattern: string
  readonly MetricTransformations: readonly [
    {
      readonly MetricNamespace: string
      readonly MetricName: string
      readonly MetricValue: string
      readonly Dimensions?: readonly [{ readonly Key: string; readonly Value: string }]
    },
  ]
}

function metricOf(
  filter: string,
  { FilterPattern: pattern, MetricTransformations }: FilterProperties,
): CountedMetric {
  const [{ MetricNamespace: namespace, MetricName: metric, MetricValue: value, Dimensions }] =
    MetricTransformations
  const matches = filterPattern(pattern)
  const [dimension] = Dimensions ?? []
  return {
    filter,
    metric,
    namespace,
    pattern,
    matches,
    dimension: dimension && { name: dimension.Key, member: dimension.Value.slice('$.'.length) },
    count(line) {
      if (!matches(line)) return 0
      return value.startsWith('$.') ? Number(JSON.parse(line)[value.slice('$.'.length)]) : Number(value)
    },
  }
}

/** Whether a metric is counted with that dimension, or without one. */
export function isCounted(
  counted: readonly CountedMetric[],
  { metric, dimension }: { metric: string; dimension: string | undefined },
): boolean {
  return counted.some(each => each.metric === metric && each.dimension?.name === dimension)
}

/** Returns the sum of each metric over the lines, by its name, or by `METRIC/VALUE` if it has a dimension. */
export function sums(counted: readonly CountedMetric[], lines: readonly string[]): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const line of lines)
    for (const { metric, dimension, count } of counted) {
      const added = count(line)
      if (added === 0) continue
      const name = dimension ? `${metric}/${JSON.parse(line)[dimension.member]}` : metric
      totals[name] = (totals[name] ?? 0) + added
    }
  return totals
}
