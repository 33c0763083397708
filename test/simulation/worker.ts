import { runScenario } from './scenarios.ts'
import type { Task } from './worker-pool.ts'

/** The entry point of a worker process: runs the scenarios that it is sent, one after the other. */
process.on('message', async ({ scenario, seed }: Task) => {
  process.send?.(await runScenario(scenario, seed))
})
