import request from 'supertest'
import { expect, test } from 'vitest'
import { startApi } from '../../support/service/app.ts'

test('GET /healthz is 200 even if a dependency fails', async () => {
  const { url, health } = await startApi()
  health.report('sts', { ok: false })
  const reply = await request(url).get('/healthz')
  expect([reply.status, reply.body]).toEqual([200, { status: 'ok' }])
  expect(reply.headers['cache-control']).toBe('no-store')
})

test('GET /readyz is 200 with the failing dependencies, until they have recovered', async () => {
  const { url, health } = await startApi()
  const ready = async () => {
    const { status, body } = await request(url).get('/readyz')
    return [status, body]
  }
  expect(await ready()).toEqual([200, { status: 'ready', degraded: [] }])
  for (const part of ['log', 'sts', 'store', 'keys'] as const) health.report(part, { ok: false })
  expect(await ready()).toEqual([200, { status: 'degraded', degraded: ['sts', 'store', 'keys', 'log'] }])
  for (const part of ['sts', 'store', 'keys'] as const) health.report(part, { ok: true })
  expect(await ready()).toEqual([200, { status: 'degraded', degraded: ['log'] }])
})
