import { readFile } from 'node:fs/promises'
import { lookForProgram } from '../../src/dev/postgres/programs.ts'
import { say } from './report.ts'

/** What to start a command with, so that it runs on one core alone. */
export interface Cores {
  readonly server: readonly string[]
  readonly load: readonly string[]
}

/** Returns one core for a server and another for its load. If there are no two, or no `taskset`, says so, and pins nothing. */
export async function findCores(): Promise<Cores> {
  const taskset = await lookForProgram('taskset')
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const [server, load] = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '')
  if (taskset && server !== undefined && load !== undefined)
    return { server: [taskset, '-c', String(server)], load: [taskset, '-c', String(load)] }
  const lacking = taskset ? 'there is but one core' : 'there is no taskset'
  say(`  NOT PINNED: ${lacking}, so server and load disturb each other, and no figure counts`)
  return { server: [], load: [] }
}

/** Returns the processors of a list as `0-2,5`. https://man7.org/linux/man-pages/man7/cpuset.7.html */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap(part => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === undefined) return []
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index)
  })
}
