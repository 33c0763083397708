import { beforeEach, expect, test } from 'vitest'
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  createCircuitBreaker,
} from '../../src/lib/circuit-breaker.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

/** The dependency cannot be reached. */
class Unreachable extends Error {}
/** A rejection of a dependency that works. */
class Conflict extends Error {}
/** The rejection of a call that is not run. */
class Refusal extends Error {
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** A call that was run, to be ended by the test. */
interface Call {
  answer(value?: string): void
  fail(cause: unknown): void
}

let clock: VirtualClock
/** How far off the clock is, once a test has put it back. */
let offsetMs: number
let calls: Call[]
let events: string[]

beforeEach(() => {
  clock = virtualClock()
  offsetMs = 0
  calls = []
  events = []
})

function breakerWith(options: Partial<CircuitBreakerOptions<Unreachable>> = {}): CircuitBreaker {
  return createCircuitBreaker<Unreachable>({
    clock: { now: () => clock.now() + offsetMs },
    firstBackoffMs: 1000,
    maxBackoffMs: 5000,
    isFailure: cause => cause instanceof Unreachable,
    isAnswer: cause => cause instanceof Conflict,
    refusal: ({ message }, retryAfterMs) => new Refusal(message, retryAfterMs),
    onOpen: ({ message }) => events.push(`open: ${message}`),
    onFailing: ({ message }) => events.push(`failing: ${message}`),
    onClose: ({ failedForMs }) => events.push(`closed after ${failedForMs}`),
    ...options,
  })
}

const call = (breaker: CircuitBreaker) =>
  breaker.run(
    () =>
      new Promise<string>((resolve, reject) => {
        calls.push({ answer: (value = 'answer') => resolve(value), fail: reject })
      }),
  )

const last = () => calls.at(-1) ?? expect.fail('nothing was called')

async function failOnce(breaker: CircuitBreaker, cause: Error = new Unreachable('unreachable')) {
  const before = calls.length
  const failing = call(breaker)
  expect(calls.length, 'a call that is let through').toBe(before + 1)
  last().fail(cause)
  await expect(failing).rejects.toBe(cause)
}

async function answerOnce(breaker: CircuitBreaker) {
  const answering = call(breaker)
  last().answer()
  expect(await answering).toBe('answer')
}

/** Passes the test when a call is refused without being run. */
async function refused(breaker: CircuitBreaker, retryAfterMs: number) {
  const before = calls.length
  const refusal = await call(breaker).catch(cause => cause)
  expect(refusal).toBeInstanceOf(Refusal)
  expect(refusal).toMatchObject({ message: 'unreachable', retryAfterMs })
  expect(calls).toHaveLength(before)
}

test('createCircuitBreaker lets calls through while they are answered, and returns the answers', async () => {
  const breaker = breakerWith()
  const both = [call(breaker), call(breaker)]
  for (const [i, { answer }] of calls.entries()) answer(`${i}`)
  expect(await Promise.all(both)).toEqual(['0', '1'])
  expect([breaker.isOpen(), events]).toEqual([false, []])
})

test('createCircuitBreaker refuses calls after a failure, with that failure and the time that is left', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  expect(breaker.isOpen()).toBe(true)
  await refused(breaker, 1000)
  await clock.advance(300)
  await refused(breaker, 700)
})

test('createCircuitBreaker refuses for longer with each probe that fails, up to the longest', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  for (const backoffMs of [1000, 2000, 4000, 5000, 5000]) {
    await refused(breaker, backoffMs)
    await clock.advance(backoffMs - 1)
    await refused(breaker, 1)
    await clock.advance(1)
    await failOnce(breaker)
  }
})

test('createCircuitBreaker begins with the first back-off again after an answer', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  await clock.advance(1000)
  await failOnce(breaker)
  await clock.advance(2000)
  await answerOnce(breaker)
  expect(breaker.isOpen()).toBe(false)
  await failOnce(breaker)
  await refused(breaker, 1000)
})

test('createCircuitBreaker lets one call probe, and refuses the others until it has ended', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  await clock.advance(1000)
  const probe = call(breaker)
  expect(calls).toHaveLength(2)
  await refused(breaker, 1000)
  await clock.advance(60_000)
  await refused(breaker, 1000)
  last().answer()
  await probe
  const many = [call(breaker), call(breaker)]
  expect(calls).toHaveLength(4)
  for (const each of calls) each.answer()
  await Promise.all(many)
})

test('createCircuitBreaker lets another call probe after maxProbeMs', async () => {
  const breaker = breakerWith({ maxProbeMs: 10_000 })
  await failOnce(breaker)
  await clock.advance(1000)
  const hanging = call(breaker)
  const first = last()
  await refused(breaker, 10_000)
  await clock.advance(9999)
  await refused(breaker, 1)
  await clock.advance(1)
  const second = call(breaker)
  expect(calls).toHaveLength(3)
  await refused(breaker, 10_000)
  first.fail(new TypeError('a bug'))
  await expect(hanging).rejects.toThrow('a bug')
  await refused(breaker, 10_000)
  last().answer()
  await second
  expect(breaker.isOpen()).toBe(false)
})

test('createCircuitBreaker counts several calls that fail together as one failure', async () => {
  const breaker = breakerWith()
  const many = Array.from({ length: 20 }, () => call(breaker))
  for (const { fail } of calls) fail(new Unreachable('unreachable'))
  await Promise.allSettled(many)
  await refused(breaker, 1000)
  expect(events).toEqual(['open: unreachable', 'failing: unreachable'])
})

test('createCircuitBreaker is neither closed nor opened by calls that began before it last changed', async () => {
  const breaker = breakerWith()
  const [slow, slower] = [call(breaker), call(breaker)]
  const [first, second] = [...calls]
  await failOnce(breaker)
  first?.answer()
  await slow
  await refused(breaker, 1000)
  await clock.advance(1000)
  await answerOnce(breaker)
  second?.fail(new Unreachable('late'))
  await expect(slower).rejects.toThrow('late')
  expect(breaker.isOpen()).toBe(false)
})

test("createCircuitBreaker counts such calls if lateResults is 'counted'", async () => {
  const breaker = breakerWith({ lateResults: 'counted' })
  const [slow, slower] = [call(breaker), call(breaker)]
  const [first, second] = [...calls]
  await failOnce(breaker)
  first?.answer()
  await slow
  expect(breaker.isOpen()).toBe(false)
  second?.fail(new Unreachable('unreachable'))
  await expect(slower).rejects.toThrow('unreachable')
  await refused(breaker, 1000)
})

test("createCircuitBreaker counts several that fail together as one if lateResults is 'counted' too", async () => {
  const breaker = breakerWith({ lateResults: 'counted' })
  const many = Array.from({ length: 20 }, () => call(breaker))
  for (const { fail } of calls) fail(new Unreachable('unreachable'))
  await Promise.allSettled(many)
  await refused(breaker, 1000)
})

test('createCircuitBreaker is closed by a rejection that is an answer', async () => {
  const breaker = breakerWith()
  await failOnce(breaker, new Conflict('conflict'))
  expect(breaker.isOpen()).toBe(false)
  await failOnce(breaker)
  await clock.advance(1000)
  await failOnce(breaker, new Conflict('conflict'))
  expect(breaker.isOpen()).toBe(false)
})

test('createCircuitBreaker is changed by no rejection that is neither failure nor answer', async () => {
  const breaker = breakerWith()
  await failOnce(breaker, new TypeError('a bug'))
  expect(breaker.isOpen()).toBe(false)
  await failOnce(breaker)
  await clock.advance(1000)
  await failOnce(breaker, new TypeError('a bug'))
  expect(breaker.isOpen()).toBe(true)
  await answerOnce(breaker)
  expect(breaker.isOpen()).toBe(false)
})

test('createCircuitBreaker counts the failure of a call after one that said nothing', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  await clock.advance(1000)
  await failOnce(breaker, new TypeError('a bug'))
  await failOnce(breaker)
  await refused(breaker, 2000)
})

test('createCircuitBreaker refuses no longer when the clock is put back', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  offsetMs = -1
  await failOnce(breaker)
  await refused(breaker, 2000)
})

test('createCircuitBreaker keeps a probe the only one when the clock is put back, until it has ended', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  await clock.advance(1000)
  const probe = call(breaker)
  offsetMs = -120_000
  await refused(breaker, 1000)
  offsetMs = -300
  await refused(breaker, 300)
  last().answer()
  await probe
})

test('createCircuitBreaker ends maxProbeMs when the clock is put back', async () => {
  const breaker = breakerWith({ maxProbeMs: 10_000 })
  await failOnce(breaker)
  await clock.advance(1000)
  const probe = call(breaker)
  offsetMs = -120_000
  await answerOnce(breaker)
  calls.at(-2)?.answer()
  await probe
})

test('createCircuitBreaker calls onOpen and onClose once for each outage, with how long it was', async () => {
  const breaker = breakerWith()
  await failOnce(breaker, new Unreachable('first'))
  await clock.advance(1000)
  await failOnce(breaker, new Unreachable('second'))
  await clock.advance(2000)
  await answerOnce(breaker)
  await answerOnce(breaker)
  expect(events).toEqual(['open: first', 'failing: first', 'closed after 3000'])
})

test('createCircuitBreaker calls onFailing once a minute while calls fail, and at once in the next outage', async () => {
  const breaker = breakerWith()
  const failing = () => events.filter(event => event.startsWith('failing')).length
  for (let second = 0; second < 60; second += 5) {
    await failOnce(breaker)
    await refused(breaker, Math.min(1000 * 2 ** (second / 5), 5000))
    expect(failing()).toBe(1)
    await clock.advance(5000)
  }
  await failOnce(breaker)
  expect(failing()).toBe(2)
  await clock.advance(5000)
  await answerOnce(breaker)
  await failOnce(breaker)
  expect(failing()).toBe(3)
  expect(events.filter(event => event.startsWith('open'))).toHaveLength(2)
})

test('createCircuitBreaker calls onFailing once a minute while calls are refused too', async () => {
  const breaker = breakerWith()
  await failOnce(breaker)
  await clock.advance(59_999)
  void call(breaker)
  await refused(breaker, 1000)
  expect(events).toHaveLength(2)
  await clock.advance(1)
  for (let i = 0; i < 10; i++) await refused(breaker, 1000)
  expect(events.slice(2)).toEqual(['failing: unreachable'])
})

test('throwIfRefusing throws what a call would be refused with, and starts no probe', async () => {
  const breaker = breakerWith()
  breaker.throwIfRefusing()
  await failOnce(breaker)
  expect(() => breaker.throwIfRefusing()).toThrow(expect.objectContaining({ retryAfterMs: 1000 }))
  await clock.advance(1000)
  breaker.throwIfRefusing()
  breaker.throwIfRefusing()
  const probe = call(breaker)
  expect(() => breaker.throwIfRefusing()).toThrow(Refusal)
  last().answer()
  await probe
  breaker.throwIfRefusing()
})

test('createCircuitBreaker counts work that throws before it returns a promise', async () => {
  const breaker = breakerWith()
  const throwing = () => {
    throw new Unreachable('unreachable')
  }
  await expect(breaker.run(throwing)).rejects.toThrow('unreachable')
  await refused(breaker, 1000)
})

test('createCircuitBreaker needs none of what is optional', async () => {
  const breaker = createCircuitBreaker<Unreachable>({
    clock,
    firstBackoffMs: 1000,
    maxBackoffMs: 5000,
    isFailure: cause => cause instanceof Unreachable,
    refusal: ({ message }, retryAfterMs) => new Refusal(message, retryAfterMs),
  })
  await failOnce(breaker)
  await refused(breaker, 1000)
  await clock.advance(1000)
  await answerOnce(breaker)
})
