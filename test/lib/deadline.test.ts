import { expect, test } from 'vitest'
import { waitAtMost, withDeadline, withTimeout } from '../../src/lib/deadline.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const timedOut = () => new Error('too long')

test('withTimeout returns the result of work that ends in time, and then aborts its signal', async () => {
  const clock = virtualClock()
  const signals: AbortSignal[] = []
  const result = withTimeout(
    async signal => {
      signals.push(signal)
      await clock.sleepUntil(clock.now() + 999)
      return signal.aborted
    },
    { clock, timeoutMs: 1000, timedOut },
  )
  await clock.advance(999)
  expect(await result).toBe(false)
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})

test('withTimeout rejects with what the work rejects with', async () => {
  const options = { clock: virtualClock(), timeoutMs: 1000, timedOut }
  await expect(withTimeout(() => Promise.reject(new Error('no')), options)).rejects.toThrow('no')
  const throwing = () => {
    throw new Error('at once')
  }
  await expect(withTimeout(throwing, options)).rejects.toThrow('at once')
})

test('withTimeout rejects when the work takes too long, and aborts its signal', async () => {
  const clock = virtualClock()
  const signals: AbortSignal[] = []
  const hanging = withTimeout(
    signal => {
      signals.push(signal)
      return new Promise<never>(() => {})
    },
    { clock, timeoutMs: 1000, timedOut },
  )
  let end: unknown
  const over = hanging.catch(cause => {
    end = cause
  })
  await clock.advance(999)
  expect([end, signals[0]?.aborted]).toEqual([undefined, false])
  await clock.advance(1)
  await over
  expect([end, signals[0]?.aborted]).toEqual([timedOut(), true])
})

test('withTimeout leaves nothing to be handled when the work fails after its time', async () => {
  const clock = virtualClock()
  const unhandled: unknown[] = []
  const note = (cause: unknown) => void unhandled.push(cause)
  process.on('unhandledRejection', note)
  try {
    const late = withTimeout(
      async () => {
        await clock.sleepUntil(clock.now() + 2000)
        throw new Error('late')
      },
      { clock, timeoutMs: 1000, timedOut },
    )
    const rejection = expect(late).rejects.toThrow('too long')
    await clock.advance(2000)
    await rejection
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('waitAtMost resolves with the work, and rejects if it fails in time', async () => {
  const clock = virtualClock()
  await waitAtMost(Promise.resolve(), { clock, maxMs: 1000 })
  const failing = Promise.reject(new Error('failed'))
  await expect(waitAtMost(failing, { clock, maxMs: 1000 })).rejects.toThrow('failed')
})

test('waitAtMost resolves after maxMs if the work hangs', async () => {
  const clock = virtualClock()
  let isOver = false
  const over = waitAtMost(new Promise(() => {}), { clock, maxMs: 1000 }).then(() => {
    isOver = true
  })
  await clock.advance(999)
  expect(isOver).toBe(false)
  await clock.advance(1)
  await over
})

test('withDeadline returns what the call resolves with in time', async () => {
  expect(await withDeadline(10_000, async () => 'reply')).toBe('reply')
})

test('withDeadline rejects a call that hangs with TimeoutError, and aborts its signal', async () => {
  const signals: AbortSignal[] = []
  const hangs = withDeadline(10, signal => {
    signals.push(signal)
    return new Promise(() => {})
  })
  await expect(hangs).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})
