import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSimulationClock } from './clock.ts'

test('the clock wakes sleepers in the order of their times, and of their arrival if the times are equal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), async delays => {
      const clock = createSimulationClock(0)
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

test('the clock runs everything that promises can do at one moment before it moves on', async () => {
  const clock = createSimulationClock(0)
  let steps = 0
  await clock.run(async () => {
    const countSteps = async () => {
      await clock.sleepUntil(5)
      for (; steps < 1000; steps++) await Promise.resolve()
    }
    void countSteps()
    await clock.sleepUntil(6)
    expect(steps).toBe(1000)
  })
})

test('a sleeper that aborts is rejected and disturbs nobody', async () => {
  const clock = createSimulationClock(0)
  await clock.run(async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const sleeper = clock.sleepUntil(100, controller.signal)
    await clock.sleepUntil(1)
    controller.abort(reason)
    await expect(sleeper).rejects.toBe(reason)
    await expect(clock.sleepUntil(200, controller.signal)).rejects.toBe(reason)
    await clock.sleepUntil(150)
    expect(clock.now()).toBe(150)
  })
})

test('work that waits for something that never happens fails instead of hanging', async () => {
  await expect(createSimulationClock().run(() => new Promise(() => {}))).rejects.toThrow('never happens')
})
