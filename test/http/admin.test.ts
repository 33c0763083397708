import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createAdminApp } from '../../src/http/admin.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'

test('createAdminApp serves /metrics in the text format of Prometheus, and nothing else', async () => {
  const health = createHealth()
  const registry = new Registry()
  const { onMinted } = createMetrics({ health, registry })
  const adminApp = createAdminApp(registry, { clock: virtualClock(), log: createLogRecorder() })
  onMinted('orders')
  health.report('sts', { ok: false })
  const reply = await adminApp.inject('/metrics')
  expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(reply.body).toContain('jeton_tokens_minted_total{database="orders"} 1')
  expect(reply.body).toContain('jeton_degraded{dependency="sts"} 1')
  for (const url of ['/', '/v1/tokens', '/healthz']) expect((await adminApp.inject(url)).statusCode).toBe(404)
})
