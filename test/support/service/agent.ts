import type { ChildProcess } from 'node:child_process'
import { CLI } from './jeton.ts'
import { type ExitCode, startProgram } from './started-program.ts'

type LogLine = Readonly<Record<string, unknown>>

/** A `jeton agent` in a process of its own. */
export interface Agent {
  readonly process: ChildProcess
  /** Lines so far. */
  readonly stdout: readonly string[]
  readonly log: readonly LogLine[]
  /** Resolves once all files are written; rejects with what it said if it ends before. */
  readonly ready: Promise<unknown>
  /** Resolves with the first line of the log from the line `from` on that has this event. */
  logged(event: string, from?: number): Promise<LogLine>
  /** Has it ask for every token and look at every file at once. */
  wake(): void
  /** Ends it. */
  stop(): Promise<ExitCode>
}

/** Starts the built command; `wrapper` is a command that runs it. */
export function startAgent(
  args: readonly string[],
  { env, wrapper = [] }: { env: Readonly<Record<string, string>>; wrapper?: readonly string[] },
): Agent {
  const command = [...wrapper, process.execPath, CLI, 'agent', ...args]
  const { process: child, stdout, stderr, until, stop } = startProgram(command, { env, lastSignal: 'TERM' })
  const log: LogLine[] = []
  let read = 0
  const readLog = () => {
    for (const line of stderr.slice(read)) if (line.startsWith('{')) log.push(JSON.parse(line))
    read = stderr.length
    return log
  }
  const ready = until(() => stdout[0])
  ready.catch(() => {})
  return {
    process: child,
    stdout,
    ready,
    get log() {
      return readLog()
    },
    logged: (event, from = 0) =>
      until(() =>
        readLog()
          .slice(from)
          .find(line => line.event === event),
      ),
    wake: () => void child.kill('SIGHUP'),
    stop,
  }
}
