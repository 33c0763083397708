import { beforeEach, describe, expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { ConfigError } from '../../src/config/problems.ts'
import type { ConfigSource } from '../../src/config/source/source.ts'
import {
  createExecutionEnvironment,
  type ExecutionEnvironment,
} from '../../src/lambda/execution-environment.ts'
import type { Service } from '../../src/service.ts'
import type { LogEvent } from '../../src/telemetry/log-events.ts'
import { sound } from '../config/support.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { rememberingLog } from '../support/service/log.ts'

const MINUTE = 60_000

let clock: VirtualClock
let log: ReturnType<typeof rememberingLog>
let sandbox: ExecutionEnvironment
/** What stands in the place of the configuration, and what goes wrong there. */
let place: { text: string; version: number; looks: number; hangs: boolean; fails: boolean }
let composed: Config[]
let reloaded: Config[]
let ticks: number
let composing: { fails: boolean }

beforeEach(() => {
  clock = virtualClock()
  log = rememberingLog()
  place = { text: JSON.stringify(sound()), version: 1, looks: 0, hangs: false, fails: false }
  composed = []
  reloaded = []
  ticks = 0
  composing = { fails: false }
  let seen = 0
  const source: ConfigSource = {
    async read() {
      if (place.fails) throw new ConfigError([{ path: '', message: 'cannot be read' }])
      seen = place.version
      return { text: place.text, files: { resolve: path => path, read: async () => undefined } }
    },
    async hasChanged() {
      place.looks++
      if (place.hangs) await new Promise(() => {})
      if (place.fails) throw new Error('it is gone')
      return seen !== place.version
    },
  }
  const service = {
    auditLog: { flushDue: () => void ticks++, headHash: () => 'abc' },
    reload: (config: Config) => void reloaded.push(config),
  } as unknown as Service
  sandbox = createExecutionEnvironment({
    source,
    clock,
    log,
    async compose(config) {
      composed.push(config)
      if (composing.fails) throw new Error('the audit log cannot be opened')
      return service
    },
  })
})

function configure(text: string) {
  place.text = text
  place.version++
}

/** What stands in the log of what was done or not done with the configuration. */
const told = (event: LogEvent) => log.lines.filter(({ fields }) => fields.event === event)

describe('a cold start', () => {
  test('composes once, however many ask', async () => {
    const [a, b] = await Promise.all([sandbox.service(), sandbox.service()])
    expect(a).toBe(b)
    expect(composed).toHaveLength(1)
  })

  test('that fails is told, and tried again by the next request', async () => {
    composing.fails = true
    const failure = { code: 'temporarily_unavailable', retryAfterMs: expect.any(Number) }
    await expect(sandbox.service()).rejects.toMatchObject(failure)
    composing.fails = false
    await expect(sandbox.service()).resolves.toBeDefined()
    expect(told('start_failed')).toHaveLength(1)
  })

  test('with a broken configuration says what is wrong with it', async () => {
    configure('{"databases":{}}')
    await expect(sandbox.service()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(told('start_failed')[0]?.fields).toMatchObject({
      problems: expect.arrayContaining([{ path: 'grants', message: 'is required' }]),
    })
  })

  test('warns of a store in memory and of an audit log in a file, loudly', async () => {
    configure(JSON.stringify({ ...sound(), audit: [{ type: 'file', path: '/mnt/audit.jsonl' }] }))
    await sandbox.service()
    expect(told('store_not_shared').map(({ level }) => level)).toEqual(['warn'])
    expect(told('audit_not_durable').map(({ level }) => level)).toEqual(['warn'])
  })
})

describe('once a minute', () => {
  test('and no more often, the request that comes then looks, ticks and states the head', async () => {
    await sandbox.service()
    await clock.advance(MINUTE - 1)
    await sandbox.service()
    expect([place.looks, ticks]).toEqual([0, 0])
    await clock.advance(1)
    await Promise.all([sandbox.service(), sandbox.service()])
    await sandbox.service()
    expect([place.looks, ticks]).toEqual([1, 1])
    expect(told('audit_head').map(({ fields }) => fields)).toEqual([{ event: 'audit_head', last: 'abc' }])
  })

  test('nothing runs without a request', async () => {
    await sandbox.service()
    await clock.advance(60 * MINUTE)
    expect([place.looks, ticks]).toEqual([0, 0])
  })

  test('a changed configuration is taken on before that request goes on', async () => {
    await sandbox.service()
    configure(JSON.stringify({ ...sound(), grants: [] }))
    await clock.advance(MINUTE)
    await sandbox.service()
    expect(reloaded.map(({ grants }) => grants)).toEqual([[]])
    expect(composed).toHaveLength(1)
  })

  test('of a changed store it is said that it waits for the next start', async () => {
    await sandbox.service()
    configure(JSON.stringify({ ...sound(), audit: [{ type: 'dynamodb', table: 'audit' }] }))
    await clock.advance(MINUTE)
    await sandbox.service()
    expect(told('restart_needed').map(({ fields }) => fields)).toEqual([
      { event: 'restart_needed', part: 'audit' },
    ])
  })

  test('a broken configuration is refused and told each minute until it is mended; the last good one stays', async () => {
    await sandbox.service()
    configure('{"databases":{}}')
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(MINUTE)
      await sandbox.service()
      expect(told('configuration_broken')).toHaveLength(minute)
    }
    expect(told('configuration_broken').every(({ level }) => level === 'error')).toBe(true)
    expect(reloaded).toHaveLength(0)
    configure(JSON.stringify(sound()))
    await clock.advance(MINUTE)
    await sandbox.service()
    await clock.advance(MINUTE)
    await sandbox.service()
    expect([reloaded.length, told('configuration_broken').length]).toEqual([1, 3])
  })

  test('a place that does not answer leaves the last good one, and says so', async () => {
    await sandbox.service()
    place.fails = true
    await clock.advance(MINUTE)
    await sandbox.service()
    expect(told('configuration_unreadable').map(({ fields }) => fields)).toEqual([
      { event: 'configuration_unreadable', reason: 'it is gone' },
    ])
  })

  test('a place that hangs holds up one request, for 2 s, and no other', async () => {
    await sandbox.service()
    place.hangs = true
    await clock.advance(MINUTE)
    let isServed = false
    const held = sandbox.service().then(() => {
      isServed = true
    })
    await settle()
    expect(isServed).toBe(false)
    await sandbox.service()
    await clock.advance(2000)
    await held
    // it goes on hanging; nobody begins another look beside it
    await clock.advance(MINUTE)
    const next = sandbox.service()
    await clock.advance(2000)
    await next
    expect(place.looks).toBe(1)
  })
})
