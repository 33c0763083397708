import { expect, test } from 'vitest'
import { runScenario, type Scenario } from './scenarios.ts'
import { runInWorkers, type Task } from './worker-pool.ts'

const renewalFor = (principals: number): Scenario => ({
  load: { principals, hours: 0.2 },
  strategy: 'd',
  maxDelayMs: 250,
})

test('runInWorkers returns what the same scenarios return in this process, in their order', async () => {
  const tasks: Task[] = [3, 5, 2].map(principals => ({
    scenario: renewalFor(principals),
    seed: `seed-${principals}`,
  }))
  const done: number[] = []
  const results = await runInWorkers(tasks, task => void done.push(tasks.indexOf(task)))
  const expected = await Promise.all(tasks.map(({ scenario, seed }) => runScenario(scenario, seed)))
  expect(results).toEqual(expected)
  expect(done.sort()).toEqual([0, 1, 2])
})
