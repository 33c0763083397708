import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { LifecycleRecord } from '../../src/audit/lifecycle-record.ts'
import type { Config } from '../../src/config/config.ts'
import { ConfigError, type Problem } from '../../src/config/problems.ts'
import type { ConfigSource } from '../../src/config/source/source.ts'
import {
  createExecutionEnvironment,
  type ExecutionEnvironment,
} from '../../src/lambda/execution-environment.ts'
import type { Service } from '../../src/service.ts'
import type { LogEvent } from '../../src/telemetry/log-events.ts'
import type { Readings } from '../../src/telemetry/readings.ts'
import { sound } from '../config/support.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'

const MINUTE_MS = 60_000

let clock: VirtualClock
let log: LogRecorder
let executionEnvironment: ExecutionEnvironment
/** The stored configuration, how often it was checked for changes, and what goes wrong. */
let stored: {
  text: string
  version: number
  checks: number
  hangs: boolean
  fails: boolean
  isNamedWrong: boolean
}
let created: Config[]
/** How many new tokens were delivered, how often the fleet's slots were read, and how long that takes. */
let delivered: number
let fleetReads: number
let storeMs: number
let reloaded: Config[]
let refusedReloads: number
let flushes: number
let announced: LifecycleRecord[]
let creating: { fails: boolean }
let environmentProblems: Problem[]

beforeEach(() => {
  clock = virtualClock()
  log = createLogRecorder()
  const text = JSON.stringify(sound())
  stored = { text, version: 1, checks: 0, hangs: false, fails: false, isNamedWrong: false }
  created = []
  delivered = 0
  fleetReads = 0
  storeMs = 5
  reloaded = []
  refusedReloads = 0
  flushes = 0
  creating = { fails: false }
  environmentProblems = []
  let readVersion = 0
  const source: ConfigSource = {
    async read() {
      if (stored.fails) throw new ConfigError([{ path: '', message: 'cannot be read' }])
      readVersion = stored.version
      return {
        file: 'jeton.yaml',
        text: stored.text,
        files: { resolve: path => path, read: async () => undefined },
      }
    },
    async hasChanged() {
      stored.checks++
      if (stored.hangs) await new Promise(() => {})
      if (stored.fails) throw new Error('it is gone')
      return readVersion !== stored.version
    },
  }
  announced = []
  const auditLog: Pick<Service['auditLog'], 'announce' | 'flushDue' | 'headHash'> = {
    announce: record => void announced.push(record),
    flushDue: () => void flushes++,
    headHash: () => 'abc',
  }
  const readings: Pick<Readings, 'rates' | 'expiries' | 'issuerKeys'> = {
    rates: () => [
      {
        resource: 'db-ORDERS',
        databases: ['orders'],
        perSecond: 16,
        horizonMs: 1000,
        delivered,
        deliveredBySecond: [],
        waiting: [],
        fleet:
          fleetReads > 0
            ? { readAt: clock.now(), nextFreeAt: clock.now(), reserved: 4, free: 12 }
            : undefined,
      },
    ],
    expiries: () => [],
    issuerKeys: () => [],
  }
  const reload = (config: Config) => void reloaded.push(config)
  executionEnvironment = createExecutionEnvironment({
    openSource() {
      if (stored.isNamedWrong) throw new ConfigError([{ path: '', message: 'no such place' }])
      return source
    },
    environmentProblems,
    clock,
    log,
    instance: 'host/1',
    version: '1.2.3',
    configPath: 's3://bucket/jeton.yaml',
    async createService(config) {
      created.push(config)
      if (creating.fails) throw new Error('the audit log cannot be opened')
      const noteRefusedReload = () => void refusedReloads++
      const refreshFleetSlots = async () => {
        await clock.sleep(storeMs)
        fleetReads++
      }
      return { auditLog, reload, noteRefusedReload, readings, refreshFleetSlots } as unknown as Service
    },
  })
})

function configure(text: string) {
  stored.text = text
  stored.version++
}

const linesOf = (event: LogEvent) => log.lines.filter(({ fields }) => fields.event === event)

describe('a cold start', () => {
  test('creates one service for concurrent requests', async () => {
    const [a, b] = await Promise.all([executionEnvironment.getService(), executionEnvironment.getService()])
    expect(a).toBe(b)
    expect(created).toHaveLength(1)
  })

  test('that fails is logged, and tried again by the next request', async () => {
    creating.fails = true
    const failure = { code: 'temporarily_unavailable', retryAfterMs: expect.any(Number) }
    await expect(executionEnvironment.getService()).rejects.toMatchObject(failure)
    creating.fails = false
    await expect(executionEnvironment.getService()).resolves.toBeDefined()
    expect(linesOf('start_failed')).toHaveLength(1)
  })

  test('logs what is doubtful in the configuration', async () => {
    const { issuers, ...config } = sound()
    const people = {
      issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E',
      audience: 'a',
    }
    configure(JSON.stringify({ ...config, issuers: { ...issuers, people } }))
    await executionEnvironment.getService()
    expect(linesOf('configuration_doubtful')).toMatchObject([
      {
        level: 'warn',
        fields: { path: 'issuers.people', problem: expect.stringContaining('whoever signs up') },
      },
    ])
  })

  test('with a broken configuration logs every problem', async () => {
    configure('{"databases":{}}')
    await expect(executionEnvironment.getService()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(linesOf('start_failed')[0]?.fields).toMatchObject({
      problems: expect.arrayContaining([
        { path: 'grants', message: 'is required', file: 'jeton.yaml', line: 1, column: 1 },
      ]),
    })
  })

  test('with a place that cannot be one logs why, once for each request', async () => {
    stored.isNamedWrong = true
    const failure = { code: 'temporarily_unavailable' }
    for (let request = 1; request <= 2; request++)
      await expect(executionEnvironment.getService()).rejects.toMatchObject(failure)
    const problems = [{ path: '', message: 'no such place' }]
    expect(linesOf('start_failed').map(({ fields }) => fields.problems)).toEqual([problems, problems])
  })

  test('with an environment variable that cannot be used logs which one, and reads nothing', async () => {
    environmentProblems.push({ path: 'JETON_BASE_PATH', message: 'must be a path' })
    await expect(executionEnvironment.getService()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(linesOf('start_failed')[0]?.fields.problems).toEqual(environmentProblems)
    expect(created).toEqual([])
  })

  test('warns about a store in memory and an audit sink of type file', async () => {
    configure(JSON.stringify({ ...sound(), audit: [{ type: 'file', path: '/mnt/audit.jsonl' }] }))
    await executionEnvironment.getService()
    expect(linesOf('store_not_shared').map(({ level }) => level)).toEqual(['warn'])
    expect(linesOf('audit_not_durable').map(({ level }) => level)).toEqual(['warn'])
  })
})

describe('lifecycle records', () => {
  const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

  test('say by which configuration the execution environment decides, from the start on', async () => {
    await executionEnvironment.getService()
    const text = JSON.stringify({ ...sound(), grants: [] })
    configure(text)
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    configure('{"databases":{}}')
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(MINUTE_MS)
      await executionEnvironment.getService()
    }
    const source = 's3://bucket/jeton.yaml'
    expect(announced).toMatchObject([
      {
        type: 'jeton.audit.started',
        instance: 'host/1',
        jeton: '1.2.3',
        configuration: { source, sha256: hashOf(JSON.stringify(sound())), files: {} },
      },
      {
        type: 'jeton.audit.reloaded',
        configuration: { source, sha256: hashOf(text) },
        changes: { grants: { removed: ['deploy'] } },
      },
      {
        type: 'jeton.audit.reload_refused',
        configuration: { source, sha256: hashOf('{"databases":{}}') },
        problems: expect.any(Number),
      },
    ])
    expect(announced).toHaveLength(3)
  })

  test('say what each reload changed since the one before', async () => {
    await executionEnvironment.getService()
    for (const grants of [[], sound().grants]) {
      configure(JSON.stringify({ ...sound(), grants }))
      await clock.advance(MINUTE_MS)
      await executionEnvironment.getService()
    }
    expect(announced.slice(1).map(({ changes }) => changes)).toEqual([
      { grants: { removed: ['deploy'] } },
      { grants: { added: ['deploy'] } },
    ])
  })
})

describe('the first request of a minute', () => {
  test('checks the configuration, flushes the audit log and logs its head; other requests do not', async () => {
    await executionEnvironment.getService()
    await clock.advance(MINUTE_MS - 1)
    await executionEnvironment.getService()
    expect([stored.checks, flushes]).toEqual([0, 0])
    await clock.advance(1)
    await Promise.all([executionEnvironment.getService(), executionEnvironment.getService()])
    await executionEnvironment.getService()
    expect([stored.checks, flushes]).toEqual([1, 1])
    expect(linesOf('audit_head').map(({ fields }) => fields)).toEqual([{ event: 'audit_head', last: 'abc' }])
  })

  test('logs its readings, and asks the store about slots only if there were new tokens', async () => {
    await executionEnvironment.getService()
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    expect([fleetReads, linesOf('slots_read').length, linesOf('instance_read').length]).toEqual([0, 0, 1])
    delivered = 3
    await clock.advance(MINUTE_MS)
    const answered = executionEnvironment.getService()
    await clock.advance(storeMs)
    await answered
    await executionEnvironment.getService()
    expect([fleetReads, linesOf('instance_read').length]).toEqual([1, 2])
    expect(linesOf('slots_read').map(({ fields }) => fields)).toMatchObject([{ free: 12, delivered: 3 }])
  })

  test('waits 2 s for a store that hangs, and logs no slots that it did not read', async () => {
    await executionEnvironment.getService()
    delivered = 3
    storeMs = 60_000
    await clock.advance(MINUTE_MS)
    const answered = executionEnvironment.getService()
    let isAnswered = false
    answered.then(() => {
      isAnswered = true
    })
    await clock.advance(1999)
    expect(isAnswered).toBe(false)
    await clock.advance(1)
    await answered
    expect([linesOf('slots_read').length, linesOf('instance_read').length]).toEqual([0, 1])
  })

  test('is needed: nothing runs between requests', async () => {
    await executionEnvironment.getService()
    await clock.advance(60 * MINUTE_MS)
    expect([stored.checks, flushes]).toEqual([0, 0])
  })

  test('reloads a changed configuration before it is answered', async () => {
    await executionEnvironment.getService()
    configure(JSON.stringify({ ...sound(), grants: [] }))
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    expect(reloaded.map(({ grants }) => grants)).toEqual([[]])
    expect(created).toHaveLength(1)
  })

  test('logs that a changed audit section takes effect with the next start', async () => {
    await executionEnvironment.getService()
    configure(JSON.stringify({ ...sound(), audit: [{ type: 'dynamodb', table: 'audit' }] }))
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    expect(linesOf('restart_needed').map(({ fields }) => fields)).toEqual([
      {
        event: 'restart_needed',
        part: 'audit',
        changes: [
          { key: 'audit[0].type', from: 'stdout', to: 'dynamodb' },
          { key: 'audit[0].table', to: 'audit' },
        ],
      },
    ])
  })

  test('keeps the last good configuration while a broken one is stored, and logs that each minute', async () => {
    await executionEnvironment.getService()
    configure('{"databases":{}}')
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(MINUTE_MS)
      await executionEnvironment.getService()
      expect(linesOf('configuration_broken')).toHaveLength(minute)
    }
    expect(linesOf('configuration_broken').every(({ level }) => level === 'error')).toBe(true)
    expect(reloaded).toHaveLength(0)
    configure(JSON.stringify(sound()))
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    expect([reloaded.length, linesOf('configuration_broken').length]).toEqual([1, 3])
    expect(refusedReloads).toBe(1)
  })

  test('keeps the last good configuration if none can be read, and logs that', async () => {
    await executionEnvironment.getService()
    stored.fails = true
    await clock.advance(MINUTE_MS)
    await executionEnvironment.getService()
    expect(linesOf('configuration_unreadable').map(({ fields }) => fields)).toEqual([
      { event: 'configuration_unreadable', reason: 'it is gone' },
    ])
  })

  test('waits 2 s for a source that hangs, while others do not wait and no second check begins', async () => {
    await executionEnvironment.getService()
    stored.hangs = true
    await clock.advance(MINUTE_MS)
    let isServed = false
    const delayed = executionEnvironment.getService().then(() => {
      isServed = true
    })
    await settle()
    expect(isServed).toBe(false)
    await executionEnvironment.getService()
    await clock.advance(2000)
    await delayed
    await clock.advance(MINUTE_MS)
    const next = executionEnvironment.getService()
    await clock.advance(2000)
    await next
    expect(stored.checks).toBe(1)
  })
})
