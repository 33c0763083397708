import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'

export function createMetrics({ health, registry }: { health: Health; registry: Registry }): Metrics {
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const decisions = new Counter({
    name: 'jeton_decisions_total',
    help: 'Requests by how they ended; `database` where a grant was found',
    labelNames: ['decision', 'code', 'database', 'cached'] as const,
    registers,
  })
  /** Looking labels up is dear; there are few combinations of them. */
  const counters = new Map<string, Counter.Internal>()
  const seconds = new Histogram({
    name: 'jeton_token_request_seconds',
    help: 'How long a request that got a token took',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const minted = new Counter({
    name: 'jeton_tokens_minted_total',
    help: 'New tokens signed',
    labelNames: ['database'] as const,
    registers,
  })
  const appends = new Histogram({
    name: 'jeton_audit_append_seconds',
    help: 'Batches of records written to an audit log',
    labelNames: ['sink', 'ok'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
    registers,
  })
  const dropped = new Counter({
    name: 'jeton_audit_refusals_dropped_total',
    help: 'Refusals that were counted, not recorded singly, because their queue was full',
    labelNames: ['sink'] as const,
    registers,
  })
  const storeCalls = new Histogram({
    name: 'jeton_store_call_seconds',
    help: 'Calls to a store that instances share; a conflict is another instance having been quicker',
    labelNames: ['call', 'outcome'] as const,
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })
  const unreadable = new Counter({
    name: 'jeton_store_unreadable_total',
    help: 'Refusals because a record was sealed with a key that this instance does not have, or was changed',
    registers,
  })
  const offset = new Gauge({
    name: 'jeton_clock_offset_seconds',
    help: "How far the machine's clock was corrected by the servers'",
    registers,
  })
  new Gauge({
    name: 'jeton_degraded',
    help: '1 for what jeton leans on and does not answer',
    labelNames: ['dependency'] as const,
    registers,
    collect() {
      this.reset()
      for (const dependency of health.degraded()) this.set({ dependency }, 1)
    },
  })
  return {
    decided({ decision, code = '', grant, database = '', cached }) {
      // without a grant, the name is whatever the caller wrote
      const of = grant === undefined ? '' : database
      const name = `${decision} ${code} ${of} ${cached}`
      const counter = counters.get(name) ?? decisions.labels(decision, code, of, String(cached ?? ''))
      counters.set(name, counter)
      counter.inc()
    },
    answered: answer => seconds.observe(answer.seconds),
    minted: database => minted.inc({ database }),
    clockCorrected: offsetMs => offset.set(offsetMs / 1000),
    appended: ({ sink, durationMs, ok }) => appends.observe({ sink, ok: String(ok) }, durationMs / 1000),
    storeCalled: ({ call, outcome, durationMs }) => storeCalls.observe({ call, outcome }, durationMs / 1000),
    storeUnreadable: () => unreadable.inc(),
    refusalsDropped: ({ sink, count }) => dropped.inc({ sink }, count),
  }
}
