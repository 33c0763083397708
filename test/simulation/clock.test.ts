import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fleetClock } from './clock.ts'

test('wakes sleepers in the order of their moments, and of their arrival where that is the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), async delays => {
      const clock = fleetClock(0)
      const woken: { at: number; arrival: number }[] = []
      await clock.run(() =>
        Promise.all(
          delays.map(async (at, arrival) => {
            await clock.sleepUntil(at)
            expect(clock.now()).toBe(at)
            woken.push({ at, arrival })
          }),
        ),
      )
      expect(woken).toEqual([...woken].sort((a, b) => a.at - b.at || a.arrival - b.arrival))
      expect(woken).toHaveLength(delays.length)
    }),
  )
})

test('all that promises can do at one moment is done before the next', async () => {
  const clock = fleetClock(0)
  let turns = 0
  await clock.run(async () => {
    const long = async () => {
      await clock.sleepUntil(5)
      for (; turns < 1000; turns++) await Promise.resolve()
    }
    void long()
    await clock.sleepUntil(6)
    expect(turns).toBe(1000)
  })
})

test('a sleeper that gives up is rejected and disturbs nobody', async () => {
  const clock = fleetClock(0)
  await clock.run(async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const sleeper = clock.sleepUntil(100, stop.signal)
    await clock.sleepUntil(1)
    stop.abort(reason)
    await expect(sleeper).rejects.toBe(reason)
    await expect(clock.sleepUntil(200, stop.signal)).rejects.toBe(reason)
    await clock.sleepUntil(150)
    expect(clock.now()).toBe(150)
  })
})

test('work that waits for what never comes is an error, not a hang', async () => {
  await expect(fleetClock().run(() => new Promise(() => {}))).rejects.toThrow('never comes')
})
