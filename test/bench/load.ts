import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from '../support/databases/programs.ts'

export interface Load {
  url: string
  authorization: string
  body: string
  /** Every reply must contain it. */
  wanted: string
  seconds: number
  connections?: number
}

/** Saturates a server with `wrk`. Throws where a single reply is not as wanted: a benchmark of errors looks splendid. */
export async function saturate({
  url,
  authorization,
  body,
  wanted,
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
    wanted,
  ]
  const { stdout } = await promisify(execFile)(await findProgram('wrk'), args)
  const result = /RESULT (\{.*\})/.exec(stdout)?.[1]
  if (result === undefined) throw new Error(`wrk said nothing of use: ${stdout}`)
  const { requests, wrong, broken } = JSON.parse(result) as {
    requests: number
    wrong: number
    broken: number
  }
  if (wrong + broken > 0) throw new Error(`${wrong} replies were wrong and ${broken} broken, of ${requests}`)
  return requests
}

/** CPU time of a process so far, user and system, in microseconds. Linux alone: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export async function cpuMicroseconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return ticks * 10_000
}
