import { Registry } from 'prom-client'
import { beforeEach, expect, test } from 'vitest'
import { createHealth, type Health } from '../../src/telemetry/health.ts'
import { type Metrics, NO_METRICS } from '../../src/telemetry/metrics.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'

let registry: Registry
let health: Health
let metrics: Metrics

beforeEach(() => {
  registry = new Registry()
  health = createHealth()
  metrics = createMetrics({ health, registry })
})

test('every event of the port is a metric with its labels, in seconds', async () => {
  metrics.onDecided({ decision: 'vended', grant: 'g', database: 'orders', cached: true })
  metrics.onVended({ durationMs: 20 })
  metrics.onMinted('orders')
  metrics.onClockCorrected(-1500)
  metrics.onBatchWritten({ sink: 'stdout', records: 3, durationMs: 20, ok: true })
  metrics.onRefusalCounted('grant')
  metrics.onRefusalsDropped({ sink: 'stdout', count: 7 })
  metrics.onStoreCalled({ call: 'swap', outcome: 'conflict', durationMs: 20 })
  metrics.onRecordUnreadable()
  health.report('sts', { ok: false })
  const text = await registry.metrics()
  for (const line of [
    'jeton_decisions_total{decision="vended",code="",database="orders",cached="true"} 1',
    'jeton_token_request_seconds_sum 0.02',
    'jeton_tokens_minted_total{database="orders"} 1',
    'jeton_clock_offset_seconds -1.5',
    'jeton_audit_append_seconds_sum{sink="stdout",ok="true"} 0.02',
    'jeton_audit_refusals_counted_total{limit="grant"} 1',
    'jeton_audit_refusals_dropped_total{sink="stdout"} 7',
    'jeton_store_call_seconds_sum{call="swap",outcome="conflict"} 0.02',
    'jeton_store_unreadable_total 1',
    'jeton_degraded{dependency="sts"} 1',
  ])
    expect(text).toContain(`\n${line}\n`)
})

test('a database that no grant names is not a label, for the caller chose its name', async () => {
  const refusal = { decision: 'refused', code: 'access_denied' }
  metrics.onDecided({ ...refusal, database: 'made-up-1' })
  metrics.onDecided({ ...refusal, database: 'made-up-2' })
  const text = await registry.metrics()
  expect(text).not.toContain('made-up')
  expect(text).toContain('{decision="refused",code="access_denied",database="",cached=""} 2')
})

test('decisions add up from one scrape to the next, in the order in which each was first seen', async () => {
  const lines = async () => (await registry.metrics()).match(/^jeton_decisions_total\{.*$/gm)
  const vend = { decision: 'vended', grant: 'g', database: 'orders' }
  metrics.onDecided({ ...vend, cached: false })
  metrics.onDecided({ ...vend, cached: true })
  const [first, second] = (await lines()) ?? []
  metrics.onDecided({ ...vend, cached: true })
  expect(await lines()).toEqual([first, second?.replace(/1$/, '2')])
})

test('jeton_degraded has every dependency from the first scrape on, and 1 for those that fail', async () => {
  const lines = (await registry.metrics()).match(/^jeton_degraded\{.*$/gm)
  expect(lines).toEqual(
    ['sts', 'store', 'keys', 'log'].map(dependency => `jeton_degraded{dependency="${dependency}"} 0`),
  )
  health.report('store', { ok: false })
  expect(await registry.metrics()).toContain('jeton_degraded{dependency="store"} 1')
  health.report('store', { ok: true })
  expect(await registry.metrics()).toContain('jeton_degraded{dependency="store"} 0')
})

test('NO_METRICS has every event of the port', () => {
  expect(Object.keys(NO_METRICS).sort()).toEqual(Object.keys(metrics).sort())
})
