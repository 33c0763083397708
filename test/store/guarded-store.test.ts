import { beforeEach, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { guardStore } from '../../src/store/guarded-store.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { UnreadableRecord } from '../../src/store/record-format.ts'
import type { Store } from '../../src/store/store.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import type { StoreCall } from '../../src/telemetry/metrics.ts'
import { describeStore } from '../contracts/stores.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'

/** A read that reached the inner store, for the test to settle. */
interface PendingRead {
  answer(): void
  fail(cause: unknown): void
}

const unavailable = (reason = 'it is unreachable') =>
  new JetonError('temporarily_unavailable', { publicMessage: 'try again', reason, retryAfterMs: 1000 })

let clock: VirtualClock
let health: ReturnType<typeof createHealth>
let log: LogRecorder
let reads: PendingRead[]
let calls: StoreCall[]
let store: Store

beforeEach(() => {
  clock = virtualClock()
  health = createHealth()
  log = createLogRecorder()
  reads = []
  calls = []
  const inner: Store = {
    read: () =>
      new Promise((resolve, reject) => {
        reads.push({ answer: () => resolve(undefined), fail: reject })
      }),
    compareAndSwap: async () => 'conflict',
  }
  store = guardStore(inner, { clock, health, log, onCalled: call => calls.push(call) })
})

describeStore('guarded, over memory', async clock => {
  const one = guardStore(createMemoryStore(clock), { clock, health, log })
  return [one, one]
})

const lastRead = () => reads.at(-1) ?? expect.fail('the inner store was not read')

async function failOnce(cause = unavailable()) {
  const read = store.read('k')
  lastRead().fail(cause)
  await expect(read).rejects.toBe(cause)
}

async function expectRefused(retryAfterMs: number) {
  const before = reads.length
  await expect(store.read('k')).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    publicMessage: 'try again',
    reason: 'it is unreachable',
    retryAfterMs,
  })
  expect(reads).toHaveLength(before)
}

test('guardStore refuses calls after a failure, with that failure and the back-off that is left', async () => {
  await failOnce()
  await expectRefused(250)
  await clock.advance(100)
  await expectRefused(150)
  await expect(
    store.compareAndSwap({ key: 'k', bytes: Buffer.from(''), expectedVersion: 'absent', expiresAt: 0 }),
  ).rejects.toMatchObject({ reason: 'it is unreachable', retryAfterMs: 150 })
})

test('guardStore lets one call probe, and refuses the others meanwhile', async () => {
  await failOnce()
  await clock.advance(250)
  const probe = store.read('k')
  expect(reads).toHaveLength(2)
  for (let i = 0; i < 10; i++) await expectRefused(250)
  lastRead().answer()
  await probe
  const many = [store.read('k'), store.read('k')]
  expect(reads).toHaveLength(4)
  for (const call of reads) call.answer()
  await Promise.all(many)
})

test('a back-off doubles with each failed probe up to 5 s, and starts again after a success', async () => {
  await failOnce()
  for (const backoffMs of [250, 500, 1000, 2000, 4000, 5000, 5000]) {
    await clock.advance(backoffMs - 1)
    await expectRefused(1)
    await clock.advance(1)
    await failOnce()
  }
  await clock.advance(5000)
  const probe = store.read('k')
  lastRead().answer()
  await probe
  await failOnce()
  await expectRefused(250)
})

test('calls that fail together count as one failure', async () => {
  const many = Array.from({ length: 20 }, () => store.read('k'))
  for (const call of reads) call.fail(unavailable())
  await Promise.allSettled(many)
  await expectRefused(250)
  expect(calls.filter(({ outcome }) => outcome === 'failed')).toHaveLength(20)
})

test('a call that began before the last change neither opens nor closes the breaker', async () => {
  const [slow, slower] = [store.read('k'), store.read('k')]
  const [first, second] = [...reads]
  await failOnce()
  first?.answer()
  await slow
  await expectRefused(250)
  await clock.advance(250)
  const probe = store.read('k')
  lastRead().answer()
  await probe
  second?.fail(unavailable('late'))
  await expect(slower).rejects.toThrow('late')
  const next = store.read('k')
  lastRead().answer()
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
      lastRead().fail(new UnreadableRecord({ keepUntil: 0, key: 'k', why: 'of another key' }))
      return read
    },
  ],
])('%s is the answer of a healthy store', async (_what, call) => {
  await call()
  await call()
  expect(health.degraded()).toEqual([])
  await failOnce()
  await clock.advance(250)
  await call()
  expect(health.degraded()).toEqual([])
})

test('a bug neither opens nor closes the breaker', async () => {
  const buggy = store.read('k')
  lastRead().fail(new TypeError('a bug'))
  await expect(buggy).rejects.toThrow('a bug')
  expect(health.degraded()).toEqual([])
  await failOnce()
  await clock.advance(250)
  const probe = store.read('k')
  lastRead().fail(new TypeError('a bug'))
  await expect(probe).rejects.toThrow('a bug')
  expect(health.degraded()).toEqual(['store'])
  const next = store.read('k')
  lastRead().answer()
  await next
  expect(health.degraded()).toEqual([])
})

const warnings = () => log.lines.filter(({ fields }) => fields.event === 'store_failing').length

test('guardStore logs store_failing once a minute while it fails, and at once when it fails again', async () => {
  await failOnce()
  for (let second = 5; second < 60; second += 5) {
    await clock.advance(5000)
    await failOnce()
    await expectRefused(Math.min(250 * 2 ** (second / 5), 5000))
    expect(warnings()).toBe(1)
  }
  await clock.advance(5000)
  await failOnce()
  expect(warnings()).toBe(2)

  await clock.advance(5000)
  const probe = store.read('k')
  lastRead().answer()
  await probe
  await failOnce()
  expect(warnings()).toBe(3)
})

test('guardStore logs store_failing for refused calls too, while a probe takes long', async () => {
  await failOnce()
  await clock.advance(59_999)
  void store.read('k').catch(() => {})
  await expectRefused(250)
  expect(warnings()).toBe(1)
  await clock.advance(1)
  for (let i = 0; i < 10; i++) await expectRefused(250)
  expect(warnings()).toBe(2)
})

test('guardStore reports to health and the log when the store begins to fail and when it answers again', async () => {
  await failOnce()
  await clock.advance(250)
  await failOnce()
  expect(health.degraded()).toEqual(['store'])
  await clock.advance(500)
  const probe = store.read('k')
  lastRead().answer()
  await probe
  expect(health.degraded()).toEqual([])
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { event: 'store_failing', reason: 'it is unreachable' }],
    ['info', { event: 'store_recovered', failedForMs: 750 }],
  ])
})

test('onCalled is called for each call that is not refused, with its duration', async () => {
  const read = store.read('k')
  await clock.advance(40)
  lastRead().answer()
  await read
  await store.compareAndSwap({ key: 'k', bytes: Buffer.from(''), expectedVersion: 'absent', expiresAt: 0 })
  await failOnce()
  await expectRefused(250)
  expect(calls).toEqual([
    { call: 'read', outcome: 'ok', durationMs: 40 },
    { call: 'swap', outcome: 'conflict', durationMs: 0 },
    { call: 'read', outcome: 'failed', durationMs: 0 },
  ])
})

test('a clock that is put back does not lengthen a back-off', async () => {
  let now = clock.now()
  const movingClock = { ...clock, now: () => now }
  const failingStore: Store = {
    read: () => Promise.reject(unavailable()),
    compareAndSwap: () => Promise.reject(unavailable()),
  }
  const guarded = guardStore(failingStore, {
    clock: movingClock,
    health,
    log,
    onCalled: call => calls.push(call),
  })
  await expect(guarded.read('k')).rejects.toThrow()
  now -= 120_000
  await expect(guarded.read('k')).rejects.toThrow()
  expect(calls).toHaveLength(2)
})
