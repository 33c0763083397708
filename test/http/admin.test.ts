import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { createAdminApp } from '../../src/http/admin.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { createMetrics } from '../../src/telemetry/prometheus.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, eventsOf } from '../support/service/log-recorder.ts'
import { exchange } from './raw-socket.ts'

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

test.each([
  ['GET', '/healthz', 404, 'not_found'],
  ['GET', '/%zz', 404, 'not_found'],
  ['POST', '/metrics', 405, 'method_not_allowed'],
  ['DELETE', '/metrics', 405, 'method_not_allowed'],
] as const)('createAdminApp answers %s %s with a problem', async (method, url, status, code) => {
  const parts = { clock: virtualClock(), log: createLogRecorder() }
  const reply = await createAdminApp(new Registry(), parts).inject({ method, url })
  expect(reply.statusCode).toBe(status)
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(reply.json()).toMatchObject({ code, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  expect(reply.headers.allow).toBe(status === 405 ? 'GET, HEAD' : undefined)
})

test('createAdminApp refuses two Host headers, and logs metrics that cannot be gathered', async () => {
  const log = createLogRecorder()
  const registry = new Registry()
  registry.metrics = async () => Promise.reject(new Error('s3cret'))
  const app = createAdminApp(registry, { clock: virtualClock(), log })
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const head = 'GET /metrics HTTP/1.1\r\nconnection: close\r\nhost: x\r\n'
  expect(await exchange(port, `${head}host: y\r\n\r\n`)).toMatchObject([{ status: 400 }])
  const [reply] = await exchange(port, `${head}\r\n`)
  expect(reply?.status).toBe(500)
  expect(reply?.body).not.toContain('s3cret')
  expect(eventsOf(log)).toEqual(['request_failed'])
})
