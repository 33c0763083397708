import { beforeEach, expect, test } from 'vitest'
import { createJournal, type Journal } from '../../src/audit/journal.ts'
import { createHealth } from '../../src/health.ts'
import { settle, type VirtualClock, virtualClock } from '../world/clock.ts'
import { rememberingLog } from '../world/log.ts'
import { fakeSink } from './fake-sink.ts'
import { record } from './support.ts'

let clock: VirtualClock
let one: ReturnType<typeof fakeSink>
let two: ReturnType<typeof fakeSink>
let journal: Journal

beforeEach(() => {
  clock = virtualClock()
  one = fakeSink('one')
  two = fakeSink('two')
  journal = createJournal({
    sinks: [one.sink, two.sink],
    clock,
    health: createHealth(),
    log: rememberingLog(),
  })
})

const refuse = (id: string) => journal.refused(record({ id, decision: 'refused', code: 'access_denied' }))

/** Whether all is written by now. */
async function isSettled(): Promise<boolean> {
  let is = false
  void journal.settled().then(() => {
    is = true
  })
  await settle()
  return is
}

test('with nothing to write it is settled', async () => {
  expect(await isSettled()).toBe(true)
})

test('refusals are written when it is settled, however many, in every log', async () => {
  for (let i = 0; i < 250; i++) journal.refused(record({ id: `r${i}`, sourceIp: `192.0.2.${i}` }))
  await journal.settled()
  expect(one.ids()).toHaveLength(250)
  expect(two.ids()).toEqual(one.ids())
})

test('it is not settled while a batch is being written, nor while others wait for it', async () => {
  two.hold()
  refuse('a')
  expect(await isSettled()).toBe(false)
  refuse('b')
  const waits = journal.settled()
  two.letGo()
  await waits
  expect(two.ids()).toEqual(['a', 'b'])
})

test('a log that fails is tried once and not waited for; what it did not take is kept', async () => {
  one.fail(new Error('full'))
  refuse('a')
  await journal.settled()
  expect([one.ids(), two.ids()]).toEqual([[], ['a']])
  one.fail(undefined)
  refuse('b')
  await journal.settled()
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

test('it can be settled again and again, and closed', async () => {
  for (const id of ['a', 'b', 'c']) {
    refuse(id)
    await journal.settled()
  }
  refuse('d')
  await Promise.all([journal.settled(), journal.close()])
  expect(one.ids()).toEqual(['a', 'b', 'c', 'd'])
  expect(one.isClosed()).toBe(true)
})
