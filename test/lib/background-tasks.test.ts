import { expect, test } from 'vitest'
import { type BackgroundTasks, createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

test('drain resolves at once without tasks', async () => {
  await createBackgroundTasks().drain()
})

/** Begins to drain; `isDrained` says whether that has ended. */
function drain(tasks: BackgroundTasks) {
  const state = { isDrained: false }
  void tasks.drain().then(() => {
    state.isDrained = true
  })
  return state
}

test('drain waits for every task, and for those that are added meanwhile', async () => {
  const clock = virtualClock()
  const tasks = createBackgroundTasks()
  tasks.add(clock.sleepUntil(clock.now() + 1000))
  const state = drain(tasks)
  tasks.add(clock.sleepUntil(clock.now() + 2000))
  await clock.advance(1999)
  expect(state.isDrained).toBe(false)
  await clock.advance(1)
  expect(state.isDrained).toBe(true)
})

test('drain waits for a task that another one adds as it ends', async () => {
  const clock = virtualClock()
  const tasks = createBackgroundTasks()
  const addAnother = () => tasks.add(clock.sleepUntil(clock.now() + 1000))
  tasks.add(clock.sleepUntil(clock.now() + 1000).then(addAnother))
  const state = drain(tasks)
  await clock.advance(1999)
  expect(state.isDrained).toBe(false)
  await clock.advance(1)
  expect(state.isDrained).toBe(true)
})

test('a task that rejects neither rejects drain nor goes unhandled', async () => {
  const tasks = createBackgroundTasks()
  tasks.add(Promise.reject(new Error('logged elsewhere')))
  await expect(tasks.drain()).resolves.toBeUndefined()
})
