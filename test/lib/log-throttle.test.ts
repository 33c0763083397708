import { expect, test } from 'vitest'
import { createLogThrottle } from '../../src/lib/log-throttle.ts'

const NOON = Date.parse('2026-11-23T12:00:00Z')

test('createLogThrottle admits the first line at once, and the next a minute later', () => {
  const throttle = createLogThrottle()
  expect([0, 1, 59_999, 60_000, 60_001, 119_999, 120_000].map(ms => throttle.admit(NOON + ms))).toEqual([
    true,
    false,
    false,
    true,
    false,
    false,
    true,
  ])
})

test('createLogThrottle admits the first line at time 0 too', () => {
  const throttle = createLogThrottle()
  expect([throttle.admit(0), throttle.admit(1)]).toEqual([true, false])
})

test('createLogThrottle admits a line each everyMs', () => {
  const throttle = createLogThrottle(10_000)
  expect([0, 9999, 10_000].map(ms => throttle.admit(NOON + ms))).toEqual([true, false, true])
})

test('createLogThrottle counts from the last line admitted, not from the last refused', () => {
  const throttle = createLogThrottle(1000)
  const admitted = Array.from({ length: 21 }, (_, i) => throttle.admit(NOON + 100 * i))
  expect(admitted.flatMap((isAdmitted, i) => (isAdmitted ? [i] : []))).toEqual([0, 10, 20])
})

test('createLogThrottle is not silenced by a clock that is put back', () => {
  const throttle = createLogThrottle()
  throttle.admit(NOON)
  expect(throttle.admit(NOON - 59_999)).toBe(false)
  expect(throttle.admit(NOON - 60_000)).toBe(true)
  expect(throttle.admit(NOON - 1)).toBe(false)
})

test('createLogThrottle admits at once after a reset', () => {
  const throttle = createLogThrottle()
  throttle.admit(NOON)
  throttle.reset()
  expect([throttle.admit(NOON + 1), throttle.admit(NOON + 2)]).toEqual([true, false])
})
