import { beforeEach, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { guardStore } from '../../src/store/guarded-store.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { unreadableRecord } from '../../src/store/unreadable-record.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import type { StoreCall } from '../../src/telemetry/metrics.ts'
import { describeStore } from '../contracts/stores.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { rememberingLog } from '../support/service/log.ts'

/** A call that reached the store, to be ended by the test. */
interface Asked {
  answer(): void
  fail(cause: unknown): void
}

const away = (reason = 'it is away') =>
  new JetonError('temporarily_unavailable', { publicMessage: 'try again', reason, retryAfterMs: 1000 })

let clock: VirtualClock
let health: ReturnType<typeof createHealth>
let log: ReturnType<typeof rememberingLog>
let asked: Asked[]
let told: StoreCall[]
let store: Store

beforeEach(() => {
  clock = virtualClock()
  health = createHealth()
  log = rememberingLog()
  asked = []
  told = []
  const inner: Store = {
    read: () =>
      new Promise((resolve, reject) => {
        asked.push({ answer: () => resolve(undefined), fail: reject })
      }),
    compareAndSwap: async () => 'conflict',
  }
  store = guardStore(inner, { clock, health, log, onCalled: call => told.push(call) })
})

describeStore('that is steady, over memory', async clock => {
  const one = guardStore(createMemoryStore(clock), { clock, health, log })
  return [one, one]
})

const last = () => asked.at(-1) ?? expect.fail('the store was not asked')

async function failOnce(cause = away()) {
  const read = store.read('k')
  last().fail(cause)
  await expect(read).rejects.toBe(cause)
}

/** Passes the test where a call is refused without the store being asked. */
async function refused(retryAfterMs: number) {
  const before = asked.length
  await expect(store.read('k')).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    publicMessage: 'try again',
    reason: 'it is away',
    retryAfterMs,
  })
  expect(asked).toHaveLength(before)
}

test('refuses at once after a failure, with what failed and what is left', async () => {
  await failOnce()
  await refused(250)
  await clock.advance(100)
  await refused(150)
  await expect(
    store.compareAndSwap({ key: 'k', bytes: Buffer.from(''), expectedVersion: 'absent', expiresAt: 0 }),
  ).rejects.toMatchObject({ reason: 'it is away', retryAfterMs: 150 })
})

test('lets one through to probe, and goes on refusing the others meanwhile', async () => {
  await failOnce()
  await clock.advance(250)
  const probe = store.read('k')
  expect(asked).toHaveLength(2)
  for (let i = 0; i < 10; i++) await refused(250)
  last().answer()
  await probe
  const many = [store.read('k'), store.read('k')]
  expect(asked).toHaveLength(4)
  for (const call of asked) call.answer()
  await Promise.all(many)
})

test('rests longer from probe to probe, but never long, and briefly again after it was well', async () => {
  await failOnce()
  for (const restMs of [250, 500, 1000, 2000, 4000, 5000, 5000]) {
    await clock.advance(restMs - 1)
    await refused(1)
    await clock.advance(1)
    await failOnce()
  }
  await clock.advance(5000)
  const probe = store.read('k')
  last().answer()
  await probe
  await failOnce()
  await refused(250)
})

test('many that fail at once count as one failure', async () => {
  const many = Array.from({ length: 20 }, () => store.read('k'))
  for (const call of asked) call.fail(away())
  await Promise.allSettled(many)
  await refused(250)
  expect(told.filter(({ outcome }) => outcome === 'failed')).toHaveLength(20)
})

test('what was under way before ends as it ends, and neither opens nor closes', async () => {
  const [slow, slower] = [store.read('k'), store.read('k')]
  const [first, second] = [...asked]
  await failOnce()
  first?.answer()
  await slow
  await refused(250)
  await clock.advance(250)
  const probe = store.read('k')
  last().answer()
  await probe
  second?.fail(away('late'))
  await expect(slower).rejects.toThrow('late')
  const next = store.read('k')
  last().answer()
  await next
})

test.each([
  [
    'a conflict',
    () => store.compareAndSwap({ key: 'k', bytes: Buffer.from(''), expectedVersion: 'absent', expiresAt: 0 }),
  ],
  [
    'an unreadable record',
    () => {
      const read = store.read('k').catch(() => {})
      last().fail(unreadableRecord({ key: 'k', why: 'of another key' }))
      return read
    },
  ],
])('%s is the answer of a store that is well', async (_what, call) => {
  await call()
  await call()
  expect(health.degraded()).toEqual([])
  await failOnce()
  await clock.advance(250)
  await call()
  expect(health.degraded()).toEqual([])
})

test('a bug is no failure of the store, nor does it end one', async () => {
  const buggy = store.read('k')
  last().fail(new TypeError('a bug'))
  await expect(buggy).rejects.toThrow('a bug')
  expect(health.degraded()).toEqual([])
  await failOnce()
  await clock.advance(250)
  const probe = store.read('k')
  last().fail(new TypeError('a bug'))
  await expect(probe).rejects.toThrow('a bug')
  expect(health.degraded()).toEqual(['store'])
  const next = store.read('k')
  last().answer()
  await next
  expect(health.degraded()).toEqual([])
})

const warnings = () => log.lines.filter(({ level }) => level === 'warn').length

test('tells the log again each minute that it goes on failing, and at once when it fails anew', async () => {
  await failOnce()
  for (let second = 5; second < 60; second += 5) {
    await clock.advance(5000)
    await failOnce()
    await refused(Math.min(250 * 2 ** (second / 5), 5000))
    expect(warnings()).toBe(1)
  }
  await clock.advance(5000)
  await failOnce()
  expect(warnings()).toBe(2)

  await clock.advance(5000)
  const probe = store.read('k')
  last().answer()
  await probe
  await failOnce()
  expect(warnings()).toBe(3)
})

test('tells the log of it too where a probe takes long and others are refused meanwhile', async () => {
  await failOnce()
  await clock.advance(59_999)
  void store.read('k').catch(() => {})
  await refused(250)
  expect(warnings()).toBe(1)
  await clock.advance(1)
  for (let i = 0; i < 10; i++) await refused(250)
  expect(warnings()).toBe(2)
})

test('tells health and log once when it begins to fail and once when it is over', async () => {
  await failOnce()
  await clock.advance(250)
  await failOnce()
  expect(health.degraded()).toEqual(['store'])
  await clock.advance(500)
  const probe = store.read('k')
  last().answer()
  await probe
  expect(health.degraded()).toEqual([])
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { event: 'store_failing', reason: 'it is away' }],
    ['info', { event: 'store_recovered', failedForMs: 750 }],
  ])
})

test('tells of each call that went through, and how long it took', async () => {
  const read = store.read('k')
  await clock.advance(40)
  last().answer()
  await read
  await store.compareAndSwap({ key: 'k', bytes: Buffer.from(''), expectedVersion: 'absent', expiresAt: 0 })
  await failOnce()
  await refused(250)
  expect(told).toEqual([
    { call: 'read', outcome: 'ok', durationMs: 40 },
    { call: 'swap', outcome: 'conflict', durationMs: 0 },
    { call: 'read', outcome: 'failed', durationMs: 0 },
  ])
})

test('a clock that goes back by minutes does not make the rest longer', async () => {
  let now = clock.now()
  const moving = { ...clock, now: () => now }
  const failing: Store = { read: () => Promise.reject(away()), compareAndSwap: () => Promise.reject(away()) }
  const calls: StoreCall[] = []
  const steady = guardStore(failing, { clock: moving, health, log, onCalled: call => calls.push(call) })
  await expect(steady.read('k')).rejects.toThrow()
  now -= 120_000
  await expect(steady.read('k')).rejects.toThrow()
  expect(calls).toHaveLength(2)
})
