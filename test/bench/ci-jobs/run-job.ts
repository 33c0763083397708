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

/** bash asks the kernel for the times of children that have ended (getrusage), to the millisecond. Its own are not in it. */
const TIMED = 'TIMEFORMAT="%3R %3U %3S"; time "$@"'

/** Runs a job to its end. Throws if it fails, or prints anything but one line on stdout. */
export async function runJob({ argv, env }: JobCommand): Promise<JobResult> {
  const { code, stdout, stderr } = await run('bash', ['-c', TIMED, 'job', ...argv], { env })
  const times = stderr.trimEnd().split('\n').at(-1) ?? ''
  if (code !== 0 || !/^\S+\n$/.test(stdout) || !/^\d+\.\d+ \d+\.\d+ \d+\.\d+$/.test(times))
    throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr}`)
  const [wall = 0, user = 0, system = 0] = times.split(' ').map(Number)
  return { token: stdout.trim(), wallMs: wall * 1000, cpuMs: (user + system) * 1000 }
}
