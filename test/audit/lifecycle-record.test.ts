import { describe, expect, test } from 'vitest'
import { createLifecycleRecords } from '../../src/audit/lifecycle-record.ts'
import { loadConfig } from '../../src/config/load.ts'
import { sound, withGrants, written } from '../config/support.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { NOON } from './support.ts'

const UUID = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
const SHARED = { v: 1, id: UUID, time: '2026-11-23T12:00:00.000Z', instance: 'host/1', jeton: '1.2.3' }

const lifecycle = () =>
  createLifecycleRecords({
    clock: virtualClock(NOON),
    instance: 'host/1',
    version: '1.2.3',
    configPath: '/etc/jeton/jeton.yaml',
  })

describe('createLifecycleRecords', () => {
  test('says by which configuration jeton started, reloaded and what it refused, and how it ended', async () => {
    const before = await loadConfig(await written(sound()))
    const after = await loadConfig(await written(withGrants({ name: 'other' })(sound())))
    const source = '/etc/jeton/jeton.yaml'
    const { started, reloaded, reloadRefused, stopped } = lifecycle()
    expect(before.origin.sha256).not.toBe(after.origin.sha256)
    expect(started(before)).toEqual({
      type: 'jeton.audit.started',
      ...SHARED,
      configuration: { source, ...before.origin },
    })
    expect(reloaded(before, after)).toEqual({
      type: 'jeton.audit.reloaded',
      ...SHARED,
      configuration: { source, ...after.origin },
      changes: { grants: { added: ['other'], removed: ['deploy'] } },
    })
    expect(reloadRefused({ origin: after.origin, problems: 2 })).toEqual({
      type: 'jeton.audit.reload_refused',
      ...SHARED,
      configuration: { source, ...after.origin },
      problems: 2,
    })
    expect(reloadRefused({ origin: undefined, problems: 1 }).configuration).toEqual({ source })
    const stop = {
      type: 'jeton.audit.stopped',
      ...SHARED,
      configuration: { source, ...after.origin },
    }
    expect(stopped(after, 'SIGTERM')).toEqual({ ...stop, signal: 'SIGTERM' })
    expect(stopped(after)).toEqual(stop)
  })

  test('has no value of the configuration, not even the hash of an API key', async () => {
    const config = await loadConfig(await written(sound()))
    const { started, reloaded } = lifecycle()
    const text = JSON.stringify([
      started(config),
      reloaded({ ...config, apiKeys: {}, grants: [], issuers: [] }, config),
    ])
    expect(text).toContain('"apiKeys":{"added":["nightly"]}')
    for (const value of ['9f86d081', 'arn:aws', 'rds.amazonaws.com', 'issuer.example', 'migrator'])
      expect(text).not.toContain(value)
  })
})
