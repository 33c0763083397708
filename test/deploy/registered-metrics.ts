import { Registry } from 'prom-client'
import { createHealth } from '../../src/telemetry/health.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'

/** Labels that Prometheus adds to what it scrapes. */
const TARGET = ['job', 'instance']

/** Those that are not in the registry yet. */
const PLANNED: Readonly<Record<string, readonly string[]>> = {
  jeton_build_info: ['version', 'node'],
  jeton_slots_per_second: ['resource'],
  jeton_slots_reserved: ['resource'],
  jeton_slots_free: ['resource'],
  jeton_slots_read_timestamp_seconds: ['resource'],
  jeton_next_free_slot_seconds: ['resource'],
  jeton_new_tokens_total: ['resource'],
  jeton_slot_wait_seconds_bucket: ['resource', 'le'],
  jeton_slot_wait_seconds_count: ['resource'],
  jeton_slot_wait_seconds_sum: ['resource'],
  jeton_slot_queue_length: ['resource', 'grant'],
  jeton_live_tokens: ['database'],
  jeton_token_soonest_expiry_timestamp_seconds: ['database'],
  jeton_role_sessions: ['database'],
  jeton_configuration_loaded_timestamp_seconds: [],
  jeton_configuration_reload_timestamp_seconds: [],
  jeton_configuration_reload_successful: [],
  jeton_certificate_expiry_timestamp_seconds: ['of'],
  jeton_ca_bundle_expiry_timestamp_seconds: ['bundle'],
  jeton_issuer_keys_fetched_timestamp_seconds: ['issuer'],
}

/** A metric as prom-client keeps it; its types leave the labels out. */
interface Registered {
  readonly name: string
  readonly type: string
  readonly labelNames: readonly string[]
}

/** Returns the labels of each series that jeton registers, by its name, and those that Prometheus adds. */
export function registeredSeries(): ReadonlyMap<string, readonly string[]> {
  const registry = new Registry()
  createMetrics({ health: createHealth(), registry })
  const metrics = registry.getMetricsAsArray() as unknown as Registered[]
  const series = [...metrics.flatMap(seriesOf), ...Object.entries(PLANNED), ['up', []] as const] as const
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
