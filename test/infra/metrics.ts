import type { Template } from './cloudformation.ts'
import { filterPattern } from './filter-pattern.ts'

/** A metric that a filter of the stack counts. */
export interface Counted {
  readonly filter: string
  readonly metric: string
  readonly namespace: string
  readonly pattern: string
  /** The dimension's name, and the member of the line that it is. */
  readonly dimension: { readonly name: string; readonly member: string } | undefined
  /** What a line adds to the metric; nothing where it does not match. */
  count(line: string): number
}

export function countedBy({ Resources }: Pick<Template, 'Resources'>): Counted[] {
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::Logs::MetricFilter')
    .map(([filter, { Properties }]) => countedByOne(filter, Properties as unknown as FilterProperties))
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

function countedByOne(
  filter: string,
  { FilterPattern: pattern, MetricTransformations }: FilterProperties,
): Counted {
  const [{ MetricNamespace: namespace, MetricName: metric, MetricValue: value, Dimensions }] =
    MetricTransformations
  const matches = filterPattern(pattern)
  const [dimension] = Dimensions ?? []
  return {
    filter,
    metric,
    namespace,
    pattern,
    dimension: dimension && { name: dimension.Key, member: dimension.Value.slice('$.'.length) },
    count(line) {
      if (!matches(line)) return 0
      return value.startsWith('$.') ? Number(JSON.parse(line)[value.slice('$.'.length)]) : Number(value)
    },
  }
}

/** Whether there is such a metric, with that dimension or with none. */
export function isCounted(
  counted: readonly Counted[],
  { metric, dimension }: { metric: string; dimension: string | undefined },
): boolean {
  return counted.some(each => each.metric === metric && each.dimension?.name === dimension)
}

/** What lines add up to, by metric, and by `METRIC/VALUE` where it has a dimension. */
export function sums(counted: readonly Counted[], lines: readonly string[]): Record<string, number> {
  const all: Record<string, number> = {}
  for (const line of lines)
    for (const { metric, dimension, count } of counted) {
      const added = count(line)
      if (added === 0) continue
      const name = dimension ? `${metric}/${JSON.parse(line)[dimension.member]}` : metric
      all[name] = (all[name] ?? 0) + added
    }
  return all
}
