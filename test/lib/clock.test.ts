import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Clock, systemClock } from '../../src/lib/clock.ts'

const START = Date.parse('2026-11-23T10:00:00.300Z')

let told: number[]
let clock: Clock

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: START })
  told = []
  clock = systemClock({ onCorrected: offsetMs => told.push(offsetMs) })
})

afterEach(() => void vi.useRealTimers())

/** A server that is `aheadMs` ahead of the machine answers at once. */
function hear(aheadMs: number) {
  clock.observe()(new Date(Math.floor((Date.now() + aheadMs) / 1000) * 1000))
}

/** Tells whether it has resolved yet, and at which time of the clock. */
function sleeper(at: number) {
  const slept: { wokenAt?: number } = {}
  void clock.sleepUntil(at).then(() => {
    slept.wokenAt = clock.now()
  })
  return slept
}

describe('a correction', () => {
  test('is told once, and not each step that makes it finer', async () => {
    hear(120_000)
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(1370)
      hear(120_000)
    }
    expect(told).toHaveLength(1)
    expect(Math.abs((told[0] ?? 0) - 120_000)).toBeLessThanOrEqual(500)
    expect(Math.abs(clock.now() - Date.now() - 120_000)).toBeLessThanOrEqual(150)
  })

  test('is taken back, and told, when the machine has its clock put right', async () => {
    hear(-120_000)
    const { length } = told
    await vi.advanceTimersByTimeAsync(5000)
    vi.setSystemTime(Date.now() - 120_000)
    hear(0)
    expect(clock.now()).toBe(Date.now())
    expect(told.slice(length)).toEqual([0])
  })

  test('is not made for 2 s, nor for a reply that was 5 minutes under way, nor for a date of nonsense', async () => {
    hear(1900)
    hear(-1900)
    const observed = clock.observe()
    const date = new Date(Math.floor(Date.now() / 1000) * 1000)
    await vi.advanceTimersByTimeAsync(300_000)
    observed(date)
    clock.observe()(new Date('yesterday'))
    expect(clock.now()).toBe(Date.now())
    expect(told).toEqual([])
  })

  test('does not go by what was asked before another correction', async () => {
    const observed = clock.observe()
    await vi.advanceTimersByTimeAsync(200)
    hear(-120_000)
    const date = new Date(Math.floor((Date.now() - 120_000) / 1000) * 1000)
    observed(date)
    expect(Math.abs(clock.now() - Date.now() + 120_000)).toBeLessThanOrEqual(500)
    expect(told).toHaveLength(1)
  })
})

describe('sleepUntil', () => {
  test('wakes at its time, not before', async () => {
    const slept = sleeper(START + 4000)
    await vi.advanceTimersByTimeAsync(3999)
    expect(slept.wokenAt).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(slept.wokenAt).toBe(START + 4000)
  })

  test('wakes at once when a correction puts its time behind', async () => {
    const slept = sleeper(START + 60_000)
    await vi.advanceTimersByTimeAsync(10)
    hear(120_000)
    await vi.advanceTimersByTimeAsync(0)
    expect(slept.wokenAt).toBeGreaterThan(START + 60_000)
  })

  test("wakes within a second when the machine's own clock is put forward", async () => {
    const slept = sleeper(START + 60_000)
    await vi.advanceTimersByTimeAsync(10)
    vi.setSystemTime(START + 120_000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(slept.wokenAt).toBeGreaterThanOrEqual(START + 120_000)
  })

  test('rejects when it is aborted, before or meanwhile, and leaves no timer behind', async () => {
    const reason = new Error('enough')
    await expect(clock.sleepUntil(START + 1000, AbortSignal.abort(reason))).rejects.toBe(reason)
    const abort = new AbortController()
    const slept = clock.sleepUntil(START + 1000, abort.signal)
    abort.abort(reason)
    await expect(slept).rejects.toBe(reason)
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
        const slept = sleeper(due)
        for (const { afterMs, aheadMs, steppedMs } of changes) {
          await vi.advanceTimersByTimeAsync(afterMs)
          vi.setSystemTime(Date.now() + steppedMs)
          hear(aheadMs)
          await vi.advanceTimersByTimeAsync(0)
        }
        const leftMs = due - clock.now()
        if (slept.wokenAt === undefined) {
          await vi.advanceTimersByTimeAsync(Math.max(0, leftMs) + 1000)
        }
        expect(slept.wokenAt).toBeGreaterThanOrEqual(due)
      }),
      { numRuns: 60 },
    )
  })
})
