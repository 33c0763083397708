import { expect, test } from 'vitest'
import { createHealth } from '../../src/telemetry/health.ts'

test('createHealth begins with nothing degraded', () => {
  expect(createHealth().degraded()).toEqual([])
})

test('degraded lists failing dependencies in a fixed order, each once', () => {
  const health = createHealth()
  for (const dependency of ['log', 'keys', 'sts', 'store'] as const) {
    health.report(dependency, { ok: false })
    health.report(dependency, { ok: false })
  }
  expect(health.degraded()).toEqual(['sts', 'store', 'keys', 'log'])
  health.report('store', { ok: true })
  expect(health.degraded()).toEqual(['sts', 'keys', 'log'])
})

test('a dependency is degraded while any one of its kind fails', () => {
  const health = createHealth()
  health.report('keys', { ok: false, of: 'github' })
  health.report('keys', { ok: false, of: 'gitlab' })
  health.report('keys', { ok: true, of: 'github' })
  expect(health.degraded()).toEqual(['keys'])
  health.report('keys', { ok: true, of: 'gitlab' })
  expect(health.degraded()).toEqual([])
})
