import { Registry } from 'prom-client'
import { createHealth } from '../../src/telemetry/health.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'
import type { Readings } from '../../src/telemetry/readings.ts'

/** Labels that Prometheus adds to what it scrapes. */
const TARGET = ['job', 'instance']

/** A metric as prom-client keeps it; its types leave the labels out. */
interface Registered {
  readonly name: string
  readonly type: string
  readonly labelNames: readonly string[]
}

/** Returns the labels of each series that jeton registers, by its name, and those that Prometheus adds. */
export function registeredSeries(): ReadonlyMap<string, readonly string[]> {
  const registry = new Registry()
  // its names and labels are registered, and nothing is read
  createMetrics({ health: createHealth(), registry }).onReadable({} as Readings, { now: () => 0 })
  const metrics = registry.getMetricsAsArray() as unknown as Registered[]
  const series = [...metrics.flatMap(seriesOf), ['up', []] as const] as const
  return new Map(series.map(([name, labels]) => [name, [...labels, ...TARGET]]))
}

function seriesOf({ name, type, labelNames }: Registered): [string, readonly string[]][] {
  if (type !== 'histogram') return [[name, labelNames]]
  return [
    [`${name}_bucket`, [...labelNames, 'le']],
    [`${name}_count`, labelNames],
    [`${name}_sum`, labelNames],
  ]
}
