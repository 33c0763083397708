import type { Registry } from 'prom-client'
import { type Metrics, NO_METRICS } from './metrics.ts'
import type { PrometheusParts } from './prometheus.ts'

export interface MetricsOptions extends Omit<PrometheusParts, 'registry'> {
  /** Where metrics are registered; without it there are none, and prom-client does not load. */
  registry: Registry | undefined
}

/** Returns metrics in a registry, or `NO_METRICS` without one. */
export async function openMetrics({ registry, ...parts }: MetricsOptions): Promise<Metrics> {
  if (!registry) return NO_METRICS
  const { createMetrics } = await import('./prometheus.ts')
  return createMetrics({ ...parts, registry })
}
