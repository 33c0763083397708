import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CLI } from './jeton.ts'

/** A `jeton agent` in a process of its own. */
export interface Agent {
  readonly process: ChildProcess
  /** Lines so far. */
  readonly stdout: readonly string[]
  readonly log: readonly Record<string, unknown>[]
  /** Resolves once all files are written; rejects with what it said if it ends before. */
  readonly ready: Promise<unknown>
  /** Resolves with the first line of the log from the line `from` on that has this event. */
  logged(event: string, from?: number): Promise<Record<string, unknown>>
  /** Has it ask for every token and look at every file at once. */
  wake(): void
  /** Ends it; resolves with its exit code. */
  stop(): Promise<number | NodeJS.Signals>
}

/** Starts the built command; `wrapper` is a command that runs it. */
export function startAgent(
  args: readonly string[],
  { env, wrapper = [] }: { env: Record<string, string>; wrapper?: readonly string[] },
): Agent {
  const [file = '', ...rest] = [...wrapper, process.execPath, CLI, 'agent', ...args]
  const child = spawn(file, rest, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stdout: string[] = []
  const log: Record<string, unknown>[] = []
  let others = ''
  let wakeUps: (() => void)[] = []
  const next = () => new Promise<void>(resolve => wakeUps.push(resolve))
  const look = () => {
    const woken = wakeUps
    wakeUps = []
    for (const wake of woken) wake()
  }
  createInterface({ input: child.stdout }).on('line', line => {
    stdout.push(line)
    look()
  })
  createInterface({ input: child.stderr }).on('line', line => {
    if (line.startsWith('{')) log.push(JSON.parse(line))
    else others += `${line}\n`
    look()
  })
  let isOver = false
  const ended = once(child, 'close').then(([code, signal]) => {
    isOver = true
    look()
    return (code ?? signal) as number | NodeJS.Signals
  })

  async function until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      if (isOver) throw new Error(`the agent has ended: ${others}${JSON.stringify(log)}`)
      await next()
    }
  }

  const ready = until(() => stdout[0])
  ready.catch(() => {})
  return {
    process: child,
    stdout,
    log,
    ready,
    logged: (event, from = 0) => until(() => log.slice(from).find(line => line.event === event)),
    wake: () => void child.kill('SIGHUP'),
    async stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
