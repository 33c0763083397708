import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { RunResult } from './run-simulation.ts'
import type { Scenario } from './scenarios.ts'

const WORKER = new URL('worker.ts', import.meta.url)
/**
 * Most objects die young, and nobody reads the stack traces of refusals: this saves a third of the time. Without stack traces
 * tsx does not find the exports of CommonJS packages, so a worker must not import any.
 */
const NODE_OPTIONS = ['--max-semi-space-size=64', '--stack-trace-limit=0']

/** What is sent to a worker. */
export interface Task {
  readonly scenario: Scenario
  readonly seed: string
}

/** Runs tasks in one process per core, started in the order given; returns results in that order. Rejects if one fails. */
export async function runInWorkers(
  tasks: readonly Task[],
  onDone: (task: Task) => void,
): Promise<readonly RunResult[]> {
  const results: RunResult[] = []
  let next = 0

  async function feed(worker: ChildProcess): Promise<void> {
    const exited = once(worker, 'exit').then(([code]) => {
      throw new Error(`a worker exited with ${code}`)
    })
    exited.catch(() => {})
    for (let index = next++; index < tasks.length; index = next++) {
      const task = tasks[index] as Task
      worker.send(task)
      const [result] = (await Promise.race([once(worker, 'message'), exited])) as [RunResult]
      results[index] = result
      onDone(task)
    }
  }

  const workers = Array.from({ length: availableParallelism() }, () =>
    fork(WORKER, { execArgv: ['--import', 'tsx', ...NODE_OPTIONS] }),
  )
  try {
    await Promise.all(workers.map(feed))
    return results
  } finally {
    for (const worker of workers) worker.kill()
  }
}
