import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Clock, monotonicClock, systemClock } from '../../src/lib/clock.ts'

const START = Date.parse('2026-11-23T10:00:00.300Z')

let corrections: number[]
let clock: Clock

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'performance'], now: START })
  corrections = []
  clock = systemClock({ onCorrected: offsetMs => corrections.push(offsetMs) })
})

afterEach(() => void vi.useRealTimers())

/** A server whose clock is `aheadMs` ahead of the machine's answers at once. */
function receiveReply(aheadMs: number) {
  clock.observe()(new Date(Math.floor((Date.now() + aheadMs) / 1000) * 1000))
}

/** Sleeps until `at`; `wokenAt` is then the time of the clock at which the sleep resolved. */
function sleepUntil(at: number) {
  const sleep: { wokenAt?: number } = {}
  void clock.sleepUntil(at).then(() => {
    sleep.wokenAt = clock.now()
  })
  return sleep
}

describe('a correction of systemClock', () => {
  test('is reported once, and not at each step that narrows it', async () => {
    receiveReply(120_000)
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(1370)
      receiveReply(120_000)
    }
    expect(corrections).toHaveLength(1)
    expect(Math.abs((corrections[0] ?? 0) - 120_000)).toBeLessThanOrEqual(500)
    expect(Math.abs(clock.now() - Date.now() - 120_000)).toBeLessThanOrEqual(150)
  })

  test('is undone, and reported, when the machine has its clock put right', async () => {
    receiveReply(-120_000)
    const { length } = corrections
    await vi.advanceTimersByTimeAsync(5000)
    vi.setSystemTime(Date.now() - 120_000)
    receiveReply(0)
    expect(clock.now()).toBe(Date.now())
    expect(corrections.slice(length)).toEqual([0])
  })

  test('is not made for 2 s, nor for a reply that took 5 minutes, nor for an invalid date', async () => {
    receiveReply(1900)
    receiveReply(-1900)
    const observed = clock.observe()
    const date = new Date(Math.floor(Date.now() / 1000) * 1000)
    await vi.advanceTimersByTimeAsync(300_000)
    observed(date)
    clock.observe()(new Date('yesterday'))
    expect(clock.now()).toBe(Date.now())
    expect(corrections).toEqual([])
  })

  test('is not made again for the reply to a request that was sent before it', async () => {
    const observed = clock.observe()
    await vi.advanceTimersByTimeAsync(200)
    receiveReply(-120_000)
    const date = new Date(Math.floor((Date.now() - 120_000) / 1000) * 1000)
    observed(date)
    expect(Math.abs(clock.now() - Date.now() + 120_000)).toBeLessThanOrEqual(500)
    expect(corrections).toHaveLength(1)
  })
})

describe('sleepUntil of systemClock', () => {
  test('resolves at its time, not before', async () => {
    const sleep = sleepUntil(START + 4000)
    await vi.advanceTimersByTimeAsync(3999)
    expect(sleep.wokenAt).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(sleep.wokenAt).toBe(START + 4000)
  })

  test('resolves at once when a correction puts its time into the past', async () => {
    const sleep = sleepUntil(START + 60_000)
    await vi.advanceTimersByTimeAsync(10)
    receiveReply(120_000)
    await vi.advanceTimersByTimeAsync(0)
    expect(sleep.wokenAt).toBeGreaterThan(START + 60_000)
  })

  test("resolves within a second when the machine's own clock is put forward", async () => {
    const sleep = sleepUntil(START + 60_000)
    await vi.advanceTimersByTimeAsync(10)
    vi.setSystemTime(START + 120_000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(sleep.wokenAt).toBeGreaterThanOrEqual(START + 120_000)
  })

  test('rejects when it is aborted, before or meanwhile, and leaves no timer', async () => {
    const reason = new Error('enough')
    await expect(clock.sleepUntil(START + 1000, AbortSignal.abort(reason))).rejects.toBe(reason)
    const abort = new AbortController()
    const sleep = clock.sleepUntil(START + 1000, abort.signal)
    abort.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('never resolves early, whatever the corrections, and no later than a second after its time', async () => {
    const events = fc.array(
      fc.record({
        afterMs: fc.nat(3000),
        aheadMs: fc.integer({ min: -10_000, max: 10_000 }),
        steppedMs: fc.constantFrom(0, 0, 0, -5000, 5000),
      }),
      { maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(events, fc.nat(8000), async (changes, ms) => {
        vi.setSystemTime(START)
        clock = systemClock()
        const due = clock.now() + ms
        const sleep = sleepUntil(due)
        for (const { afterMs, aheadMs, steppedMs } of changes) {
          await vi.advanceTimersByTimeAsync(afterMs)
          vi.setSystemTime(Date.now() + steppedMs)
          receiveReply(aheadMs)
          await vi.advanceTimersByTimeAsync(0)
        }
        const leftMs = due - clock.now()
        if (sleep.wokenAt === undefined) {
          await vi.advanceTimersByTimeAsync(Math.max(0, leftMs) + 1000)
        }
        expect(sleep.wokenAt).toBeGreaterThanOrEqual(due)
      }),
      { numRuns: 60 },
    )
  })
})

describe('sleep', () => {
  test.each([
    { change: 'a correction puts the clock back', set: () => receiveReply(-120_000) },
    { change: 'a correction puts the clock forward', set: () => receiveReply(120_000) },
    { change: 'the machine has its clock put back', set: () => vi.setSystemTime(START - 120_000) },
    { change: 'the machine has its clock put forward', set: () => vi.setSystemTime(START + 120_000) },
  ])('takes as long as it is told to, even if $change meanwhile', async ({ set }) => {
    let isOver = false
    void clock.sleep(4000).then(() => {
      isOver = true
    })
    await vi.advanceTimersByTimeAsync(10)
    set()
    await vi.advanceTimersByTimeAsync(3989)
    expect(isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(isOver).toBe(true)
  })

  test.each([0, -1])('takes no time for %i ms', async ms => {
    await expect(clock.sleep(ms)).resolves.toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('rejects when it is aborted, and leaves no timer', async () => {
    const reason = new Error('enough')
    const abort = new AbortController()
    const sleep = clock.sleep(1000, abort.signal)
    abort.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('monotonicClock', () => {
  test('counts the time that passes, whatever the machine has its clock set to', async () => {
    const timer = monotonicClock()
    const since = timer.now()
    let isOver = false
    void timer.sleepUntil(since + 4000).then(() => {
      isOver = true
    })
    vi.setSystemTime(START + 3_600_000)
    await vi.advanceTimersByTimeAsync(3999)
    expect([isOver, timer.now() - since]).toEqual([false, 3999])
    vi.setSystemTime(START)
    await vi.advanceTimersByTimeAsync(1)
    expect([isOver, timer.now() - since]).toEqual([true, 4000])
  })
})
