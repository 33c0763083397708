import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from '../../src/dev/postgres/programs.ts'

export interface Load {
  url: string
  authorization: string
  body: string
  /** Text that every reply must contain. */
  expected: string
  seconds: number
  connections?: number
}

/** Loads a server with `wrk`; returns how many requests it served. Throws if a single reply is not as expected. */
export async function loadWithWrk({
  url,
  authorization,
  body,
  expected,
  seconds,
  connections = 64,
}: Load): Promise<number> {
  const script = fileURLToPath(new URL('./vend.lua', import.meta.url))
  const args = [
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '-s',
    script,
    url,
    '--',
    authorization,
    body,
    expected,
  ]
  const { stdout } = await promisify(execFile)(await findProgram('wrk'), args)
  const result = /RESULT (\{.*\})/.exec(stdout)?.[1]
  if (result === undefined) throw new Error(`wrk printed no result: ${stdout}`)
  const { requests, wrong, broken } = JSON.parse(result) as {
    requests: number
    wrong: number
    broken: number
  }
  if (wrong + broken > 0) throw new Error(`${wrong} replies were wrong and ${broken} broken, of ${requests}`)
  return requests
}

/** Returns the user and system CPU time of a process in microseconds. Linux only: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export async function cpuMicroseconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return ticks * 10_000
}
