import { beforeEach, expect, test } from 'vitest'
import { type AuditLog, createAuditLog } from '../../src/audit/audit-log.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { settle, type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { rememberingLog } from '../support/service/log.ts'
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
    log: rememberingLog(),
  })
})

const refuse = (id: string) =>
  auditLog.writeRefusal(record({ id, decision: 'refused', code: 'access_denied' }))

/** Whether all is written by now. */
async function isSettled(): Promise<boolean> {
  let is = false
  void auditLog.drain().then(() => {
    is = true
  })
  await settle()
  return is
}

test('with nothing to write it is settled', async () => {
  expect(await isSettled()).toBe(true)
})

test('refusals are written when it is settled, however many, in every log', async () => {
  for (let i = 0; i < 250; i++) auditLog.writeRefusal(record({ id: `r${i}`, sourceIp: `192.0.2.${i}` }))
  await auditLog.drain()
  expect(one.ids()).toHaveLength(250)
  expect(two.ids()).toEqual(one.ids())
})

test('it is not settled while a batch is being written, nor while others wait for it', async () => {
  two.hold()
  refuse('a')
  expect(await isSettled()).toBe(false)
  refuse('b')
  const waits = auditLog.drain()
  two.letGo()
  await waits
  expect(two.ids()).toEqual(['a', 'b'])
})

test('a log that fails is tried once and not waited for; what it did not take is kept', async () => {
  one.fail(new Error('full'))
  refuse('a')
  await auditLog.drain()
  expect([one.ids(), two.ids()]).toEqual([[], ['a']])
  one.fail(undefined)
  refuse('b')
  await auditLog.drain()
  expect(one.ids()).toEqual(['a', 'b'])
})

test('a log that hangs is left out', async () => {
  one.hold()
  refuse('a')
  expect(await isSettled()).toBe(false)
  await clock.advance(2000)
  refuse('b')
  expect(await isSettled()).toBe(true)
  expect(two.ids()).toEqual(['a', 'b'])
})

/** How many each counting record so far stands for, by source and code. */
const counts = () =>
  one
    .records()
    .filter(({ count }) => count)
    .map(({ sourceIp, code, count }) => `${sourceIp} ${code} ${count}`)
    .sort()

function flood(times: number, { sourceIp = '192.0.2.1', code = 'access_denied' } = {}) {
  for (let i = 0; i < times; i++) auditLog.writeRefusal(record({ decision: 'refused', sourceIp, code }))
}

test('what a flood adds up to is written too, for each source and code, and none of it twice', async () => {
  flood(103)
  flood(2, { code: 'unauthenticated' })
  flood(101, { sourceIp: '192.0.2.2' })
  await auditLog.drain()
  const expected = ['192.0.2.1 access_denied 3', '192.0.2.1 unauthenticated 2', '192.0.2.2 access_denied 1']
  expect(counts()).toEqual(expected)
  expect(two.ids()).toEqual(one.ids())
  await clock.advance(60_000)
  await auditLog.drain()
  await auditLog.close()
  expect(counts()).toEqual(expected)
})

test('a flood with a request each does not become a record each: its count is written every 10 s', async () => {
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

test('for who does not ask whether it is settled, a flood is one record at the end of its minute', async () => {
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

test('it can be settled again and again, and closed', async () => {
  for (const id of ['a', 'b', 'c']) {
    refuse(id)
    await auditLog.drain()
  }
  refuse('d')
  await Promise.all([auditLog.drain(), auditLog.close()])
  expect(one.ids()).toEqual(['a', 'b', 'c', 'd'])
  expect(one.isClosed()).toBe(true)
})
