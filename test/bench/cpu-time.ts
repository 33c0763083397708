import { readdir, readFile } from 'node:fs/promises'

/** What a process has used of the processor so far, in microseconds, its children not counted. */
export interface CpuTime {
  readonly mainThread: number
  readonly allThreads: number
}

/** Linux only, to the nanosecond, where `stat` counts by 10 ms: https://docs.kernel.org/scheduler/sched-stats.html */
export async function cpuTimeOf(pid: number): Promise<CpuTime> {
  const folder = `/proc/${pid}/task`
  const threads = await readdir(folder)
  const times = await Promise.all(
    threads.map(async thread => {
      // a thread may have ended since
      const text = await readFile(`${folder}/${thread}/schedstat`, 'utf8').catch(() => '0')
      return { isMain: Number(thread) === pid, micros: parseSchedstat(text) }
    }),
  )
  const sum = (some: typeof times) => some.reduce((total, { micros }) => total + micros, 0)
  return { mainThread: sum(times.filter(({ isMain }) => isMain)), allThreads: sum(times) }
}

/** Returns the microseconds on the processor, the first field. */
export function parseSchedstat(text: string): number {
  const nanoseconds = /^\d+/.exec(text)?.[0]
  if (nanoseconds === undefined) throw new Error(`not a schedstat: ${text}`)
  return Number(nanoseconds) / 1000
}
