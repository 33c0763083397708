import type { Metrics } from './metrics.ts'
import type { Traces } from './traces.ts'

/** Returns metrics that also make a span of each call to the store; `metrics` itself without traces. */
export function traceMetrics(metrics: Metrics, traces: Traces | undefined): Metrics {
  if (!traces) return metrics
  return {
    ...metrics,
    onStoreCalled(called) {
      metrics.onStoreCalled(called)
      const { call, outcome, durationMs } = called
      traces.addEnded('jeton.store', { durationMs, facts: { 'jeton.call': call, 'jeton.outcome': outcome } })
    },
  }
}
