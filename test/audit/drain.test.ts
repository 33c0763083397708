import { beforeEach, expect, test } from 'vitest'
import { type AuditLog, createAuditLog } from '../../src/audit/audit-log.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { fakeSink } from './fake-sink.ts'
import { record } from './support.ts'

let clock: VirtualClock
let one: ReturnType<typeof fakeSink>
let two: ReturnType<typeof fakeSink>
let auditLog: AuditLog

beforeEach(() => {
  clock = virtualClock()
  one = fakeSink('one')
  two = fakeSink('two')
  auditLog = createAuditLog({
    sinks: [one.sink, two.sink],
    clock,
    health: createHealth(),
    log: createLogRecorder(),
  })
})

const refuse = (id: string) =>
  auditLog.admitRefusal(record({ id, decision: 'refused', code: 'access_denied' }))?.write()

/** Whether a drain resolves by now. */
async function isDrained(): Promise<boolean> {
  let isResolved = false
  void auditLog.drain().then(() => {
    isResolved = true
  })
  await settle()
  return isResolved
}

test('drain resolves with nothing to write', async () => {
  expect(await isDrained()).toBe(true)
})

test('drain resolves when all refusals, however many, are in every sink', async () => {
  for (let i = 0; i < 250; i++)
    auditLog.admitRefusal(record({ id: `r${i}`, sourceIp: `10.${i}.0.1` }))?.write()
  await auditLog.drain()
  expect(one.ids()).toHaveLength(250)
  expect(two.ids()).toEqual(one.ids())
})

test('drain does not resolve while a batch is being written or others wait for it', async () => {
  two.hold()
  refuse('a')
  expect(await isDrained()).toBe(false)
  refuse('b')
  const drained = auditLog.drain()
  two.release()
  await drained
  expect(two.ids()).toEqual(['a', 'b'])
})

test('drain tries a failing sink once, and what it did not take is kept', async () => {
  one.fail(new Error('full'))
  refuse('a')
  await auditLog.drain()
  expect([one.ids(), two.ids()]).toEqual([[], ['a']])
  one.fail(undefined)
  refuse('b')
  await auditLog.drain()
  expect(one.ids()).toEqual(['a', 'b'])
})

test('drain skips a sink that hangs', async () => {
  one.hold()
  refuse('a')
  expect(await isDrained()).toBe(false)
  await clock.advance(2000)
  refuse('b')
  expect(await isDrained()).toBe(true)
  expect(two.ids()).toEqual(['a', 'b'])
})

/** The count of each counting record so far, with its source and code. */
const counts = () =>
  one
    .records()
    .filter(({ count }) => count)
    .map(({ sourceIp, code, count }) => `${sourceIp} ${code} ${count}`)
    .sort()

function flood(times: number, { sourceIp = '192.0.2.1', code = 'access_denied' } = {}) {
  for (let i = 0; i < times; i++)
    auditLog.admitRefusal(record({ decision: 'refused', sourceIp, code }))?.write()
}

test('drain writes the counts of a flood, for each source and code, and none twice', async () => {
  flood(103)
  flood(2, { code: 'unauthenticated' })
  flood(101, { sourceIp: '198.51.100.2' })
  await auditLog.drain()
  const expected = [
    '192.0.2.1 access_denied 3',
    '192.0.2.1 unauthenticated 2',
    '198.51.100.2 access_denied 1',
  ]
  expect(counts()).toEqual(expected)
  expect(two.ids()).toEqual(one.ids())
  await clock.advance(60_000)
  await auditLog.drain()
  await auditLog.close()
  expect(counts()).toEqual(expected)
})

test('drain writes the count of a flood every 10 s at most, even when called for each request', async () => {
  flood(100)
  for (let ms = 0; ms < 30_000; ms += 100) {
    flood(1)
    await auditLog.drain()
    await clock.advance(100)
  }
  expect(counts()).toEqual(['1', '100', '100'].map(count => `192.0.2.1 access_denied ${count}`))
  await auditLog.drain()
  expect(counts()).toHaveLength(4)
  expect(counts()).toContain('192.0.2.1 access_denied 99')
})

test('a flood is one record at the end of its minute if nobody drains', async () => {
  flood(100)
  for (let second = 0; second < 60; second++) {
    flood(1)
    auditLog.flushDue()
    await clock.advance(1000)
  }
  expect(counts()).toEqual([])
  auditLog.flushDue()
  await clock.advance(0)
  expect(counts()).toEqual(['192.0.2.1 access_denied 60'])
})

test('drain can be called again and again, and beside close', async () => {
  for (const id of ['a', 'b', 'c']) {
    refuse(id)
    await auditLog.drain()
  }
  refuse('d')
  await Promise.all([auditLog.drain(), auditLog.close()])
  expect(one.ids()).toEqual(['a', 'b', 'c', 'd'])
  expect(one.isClosed()).toBe(true)
})
