import type { Registry } from 'prom-client'
import { type Metrics, NO_METRICS } from './metrics.ts'
import type { PrometheusParts } from './prometheus.ts'
import { traceMetrics } from './traced-metrics.ts'
import type { Traces } from './traces.ts'

export interface MetricsOptions extends Omit<PrometheusParts, 'registry'> {
  /** Where metrics are registered; without it there are none, and prom-client does not load. */
  registry: Registry | undefined
  /** Where spans of what is counted go; default: nowhere. */
  traces?: Traces | undefined
}

/** Returns metrics in a registry, or `NO_METRICS` without one. */
export async function openMetrics({ registry, traces, ...parts }: MetricsOptions): Promise<Metrics> {
  if (!registry) return traceMetrics(NO_METRICS, traces)
  const { createMetrics } = await import('./prometheus.ts')
  return traceMetrics(createMetrics({ ...parts, registry }), traces)
}
