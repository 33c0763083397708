import { beforeEach, describe, expect, test } from 'vitest'
import { createRetryTimes, type RetryTimes } from '../../../src/tokens/rate-limit/retry-times.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'

let clock: VirtualClock
let retryTimes: RetryTimes

beforeEach(() => {
  clock = virtualClock()
  retryTimes = createRetryTimes(clock)
})

const KEY = { grant: 'orders', keyId: 'key' }

/** Seconds from now until the moment that is promised to a key. */
function promised(keyId: string, { grant = 'orders', earliestMs = 1000, intervalMs = 500 } = {}): number {
  const options = { earliest: clock.now() + earliestMs, intervalMs }
  return (retryTimes.promise({ grant, keyId }, options) - clock.now()) / 1000
}

describe('a promise', () => {
  test('belongs to the key: asked again, it is the same moment, however often others ask', async () => {
    expect(promised('key', { earliestMs: 9300 })).toBe(10)
    for (let i = 0; i < 20; i++) promised(`other-${i}`, { earliestMs: 9300 })
    await clock.advance(2500)
    expect(promised('key', { earliestMs: 20_000 })).toBe(7.5)
    await clock.advance(7499)
    expect(promised('key')).toBe(0.001)
  })

  test('is another once its moment has come and the key is refused again', async () => {
    promised('key')
    await clock.advance(1000)
    expect(promised('key', { earliestMs: 3000 })).toBe(3)
  })

  test('comes after those of other keys of the grant', () => {
    expect(['a', 'b', 'c', 'd', 'e'].map(keyId => promised(keyId))).toEqual([1, 2, 2, 3, 3])
  })

  test('does not depend on keys of other grants, not even for the same key', () => {
    for (let i = 0; i < 60; i++) promised(`${i}`, { grant: 'aggressor' })
    promised('key', { grant: 'aggressor' })
    expect(promised('key')).toBe(1)
  })

  test('is no more than 60 s away: then the line begins again', () => {
    const seconds = Array.from({ length: 120 }, (_, i) => promised(`${i}`))
    expect(Math.max(...seconds)).toBe(60)
    expect(seconds.slice(117, 120)).toEqual([60, 60, 1])
  })

  test('of a clock that was put back is not believed', async () => {
    const ahead = { now: () => clock.now() + 3_600_000 }
    let now = ahead.now
    retryTimes = createRetryTimes({ now: () => now() })
    retryTimes.promise(KEY, { earliest: now() + 1000, intervalMs: 500 })
    now = clock.now
    expect(promised('key')).toBe(1)
    expect(retryTimes.hasPromises('orders')).toBe(true)
  })
})

test('lateness says how long ago the moment of a key was, for five minutes', async () => {
  expect(retryTimes.lateness(KEY)).toBeUndefined()
  promised('key')
  await clock.advance(999)
  expect(retryTimes.lateness(KEY)).toBeUndefined()
  await clock.advance(1)
  expect(retryTimes.lateness(KEY)).toBe(0)
  expect(retryTimes.lateness({ ...KEY, grant: 'reports' })).toBeUndefined()
  await clock.advance(30_000)
  expect(retryTimes.lateness(KEY)).toBe(0.5)
  await clock.advance(269_999)
  expect(retryTimes.lateness(KEY)).toBe(1)
  await clock.advance(1)
  expect(retryTimes.lateness(KEY)).toBeUndefined()
})

test('a key that is refused at its moment comes back soon, then half as often each time, and is as late as before', async () => {
  promised('key')
  for (let i = 0; i < 100; i++) promised(`other-${i}`)
  await clock.advance(1000)
  expect(promised('key')).toBe(3)
  await clock.advance(6000)
  expect(promised('key')).toBe(6)
  expect(retryTimes.lateness(KEY)).toBe(0.1)
  await clock.advance(90_000)
  expect(promised('key')).toBe(60)
})

test('forget ends the promise of a key that has its slot', async () => {
  promised('key')
  await clock.advance(1000)
  retryTimes.forget(KEY)
  expect(retryTimes.lateness(KEY)).toBeUndefined()
})

test('hasPromises says whether callers of a grant may still come back', async () => {
  promised('key')
  expect([retryTimes.hasPromises('orders'), retryTimes.hasPromises('reports')]).toEqual([true, false])
  await clock.advance(10_999)
  expect(retryTimes.hasPromises('orders')).toBe(true)
  await clock.advance(1)
  expect(retryTimes.hasPromises('orders')).toBe(false)
})

test('100,000 keys of a grant are remembered at most, and those of other grants all the same', async () => {
  promised('first')
  promised('first', { grant: 'reports' })
  for (let i = 0; i < 49_999; i++) promised(`${i}`)
  await clock.advance(1000)
  expect(retryTimes.lateness({ ...KEY, keyId: 'first' })).toBe(0)
  for (let i = 0; i < 50_000; i++) promised(`more-${i}`)
  expect(retryTimes.lateness({ ...KEY, keyId: 'first' })).toBeUndefined()
  expect(retryTimes.lateness({ grant: 'reports', keyId: 'first' })).toBe(0)
})
