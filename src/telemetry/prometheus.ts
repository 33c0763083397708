import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'
import { registerGauges } from './gauges.ts'
import { DEPENDENCIES, type Health } from './health.ts'
import type { Metrics } from './metrics.ts'
import type { Readings } from './readings.ts'

/** Those of `jeton_decisions_total`. */
interface DecisionLabels {
  decision: string
  code: string
  database: string
  cached: string
}

/** prom-client's names of these gauges end as those of counters must; each is the sum of the gauge without that end. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

export interface PrometheusParts {
  health: Health
  registry: Registry
  /** Of jeton; `unknown` unless given. */
  version?: string | undefined
}

/** Returns metrics in a registry, with the process's own (CPU, memory, event loop). docs/operations.md lists the names. */
export function createMetrics({ health, registry, version = 'unknown' }: PrometheusParts): Metrics {
  let readings: Readings | undefined
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  // prom-client is slow to look labels up, and there are few combinations of them: it gets the counts when it is asked
  const decisions = new Map<string, { labels: DecisionLabels; count: number }>()
  new Counter({
    name: 'jeton_decisions_total',
    help: 'Requests by how they ended; `database` if a grant was found',
    labelNames: ['decision', 'code', 'database', 'cached'] as const,
    registers,
    collect() {
      this.reset()
      // a counter that begins with its first event has no increase then, and the first ones come by the dozen
      for (const database of readings?.rates().flatMap(rate => rate.databases) ?? [])
        this.inc({ decision: 'refused', code: 'throttled', database, cached: '' }, 0)
      for (const { labels, count } of decisions.values()) this.inc(labels, count)
    },
  })
  const requestSeconds = new Histogram({
    name: 'jeton_token_request_seconds',
    help: 'Duration of requests that got a token',
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
    help: 'Duration of writing one batch of records to an audit sink',
    labelNames: ['sink', 'ok'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2],
    registers,
  })
  const refusalsCounted = new Counter({
    name: 'jeton_audit_refusals_counted_total',
    help: 'Refusals that were only counted, without a record each, because of a flood from what `limit` names',
    labelNames: ['limit'] as const,
    registers,
  })
  const refusalsDropped = new Counter({
    name: 'jeton_audit_refusals_dropped_total',
    help: 'Refusals that were only counted, without a record each, because their queue was full',
    labelNames: ['sink'] as const,
    registers,
  })
  const storeCalls = new Histogram({
    name: 'jeton_store_call_seconds',
    help: 'Duration of calls to the shared store; a conflict means that another instance was quicker',
    labelNames: ['call', 'outcome'] as const,
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  })
  const unreadable = new Counter({
    name: 'jeton_store_unreadable_total',
    help: 'Refusals because this instance lacks the key of a stored record, or the record was tampered with',
    registers,
  })
  const clockOffset = new Gauge({
    name: 'jeton_clock_offset_seconds',
    help: "Correction of the machine's clock by what AWS's replies say",
    registers,
  })
  const connections = new Gauge({
    name: 'jeton_connections',
    help: 'Open connections of callers',
    registers,
  })
  const connectionsCut = new Counter({
    name: 'jeton_connections_cut_total',
    help: 'Connections that jeton ended: idle ones for new ones, new ones that it refused, those whose reply was not read',
    labelNames: ['reason'] as const,
    registers,
  })
  new Gauge({
    name: 'jeton_degraded',
    help: '1 for each dependency that fails, 0 for the others',
    labelNames: ['dependency'] as const,
    registers,
    collect() {
      const degraded = health.degraded()
      for (const dependency of DEPENDENCIES) this.set({ dependency }, Number(degraded.includes(dependency)))
    },
  })
  new Gauge({
    name: 'jeton_build_info',
    help: 'Always 1: the release of jeton, and that of Node which it runs on',
    labelNames: ['version', 'node'] as const,
    registers,
  }).set({ version, node: process.versions.node }, 1)
  /** The resources with a series. */
  const waitedFor = new Set<string>()
  const slotWaits = new Histogram({
    name: 'jeton_slot_wait_seconds',
    help: 'How long callers that got a slot for a new token waited for it, without the time for a role session',
    labelNames: ['resource'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5],
    registers,
    collect() {
      const resources = new Set(readings?.rates().map(({ resource }) => resource))
      for (const resource of waitedFor)
        if (!resources.has(resource) && waitedFor.delete(resource)) this.remove({ resource })
    },
  })
  return {
    onReadable(readable, clock) {
      readings = readable
      registerGauges({ registry, readings, clock })
    },
    onSlotGiven({ resource, waitedMs }) {
      if (resource === undefined) return
      waitedFor.add(resource)
      slotWaits.observe({ resource }, waitedMs / 1000)
    },
    onDecided({ decision, code = '', grant, database = '', cached }) {
      // without a grant the caller may have made the name up
      const grantedDatabase = grant === undefined ? '' : database
      const key = `${decision} ${code} ${grantedDatabase} ${cached}`
      const known = decisions.get(key)
      if (known) known.count++
      else {
        const labels = { decision, code, database: grantedDatabase, cached: String(cached ?? '') }
        decisions.set(key, { labels, count: 1 })
      }
    },
    onVended: ({ durationMs }) => requestSeconds.observe(durationMs / 1000),
    onMinted: database => minted.inc({ database }),
    onClockCorrected: offsetMs => clockOffset.set(offsetMs / 1000),
    onBatchWritten: ({ sink, durationMs, ok }) =>
      appends.observe({ sink, ok: String(ok) }, durationMs / 1000),
    onStoreCalled: ({ call, outcome, durationMs }) =>
      storeCalls.observe({ call, outcome }, durationMs / 1000),
    onRecordUnreadable: () => unreadable.inc(),
    onRefusalCounted: limit => refusalsCounted.inc({ limit }),
    onConnectionsChanged: open => connections.set(open),
    onConnectionCut: reason => connectionsCut.inc({ reason }),
    onRefusalsDropped: ({ sink, count }) => refusalsDropped.inc({ sink }, count),
  }
}
