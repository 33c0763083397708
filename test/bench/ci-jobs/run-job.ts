import { run } from '../../support/run.ts'

/** What runs in a job. */
export interface JobCommand {
  readonly argv: readonly string[]
  /** Its whole environment, but for PATH and LC_ALL. */
  readonly env: Record<string, string>
}

export interface JobResult {
  readonly token: string
  /** From the start of its first process to the end of its last. */
  readonly wallMs: number
  /** User and system time of all its processes, as the kernel counts them when they have ended. */
  readonly cpuMs: number
}

/** bash's own `time` asks the kernel for the times of ended children (getrusage), to the millisecond; bash itself does not count. */
const TIMED = 'TIMEFORMAT="%3R %3U %3S"; time "$@"'
const TIMES = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)\n$/

/** Runs a job to its end. Throws if it prints anything but one line, or says anything on stderr. */
export async function runJob({ argv, env }: JobCommand): Promise<JobResult> {
  const { code, stdout, stderr } = await run('bash', ['-c', TIMED, 'job', ...argv], { env })
  const [, ...times] = TIMES.exec(stderr) ?? []
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = times.map(Number)
  if (code !== 0 || times.length !== 3 || !/^\S+\n$/.test(stdout))
    throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr}`)
  return { token: stdout.trim(), wallMs: wall * 1000, cpuMs: (user + system) * 1000 }
}
