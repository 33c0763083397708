import type { Task } from './crew.ts'
import { playJob } from './jobs.ts'

/** A process that plays what it is sent, one after the other. */
process.on('message', async ({ job, seed }: Task) => {
  process.send?.(await playJob(job, seed))
})
