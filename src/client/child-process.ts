import { type ChildProcess, spawn } from 'node:child_process'
import type { Environment } from '../lib/environment.ts'

/** The part of Node's `process` that a command's parent needs. */
export interface SignalHost {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  kill(pid: number, signal: NodeJS.Signals): unknown
  readonly pid: number
  readonly stdin: { readonly isTTY?: boolean }
}

/** How a command ended, or why it could not begin: the system's code, such as ENOENT. */
export type Ending = { exitCode: number } | { signal: NodeJS.Signals } | { cannotRun: string }

export interface Child {
  command: string
  args: readonly string[]
  env: Environment
}

export interface Signals {
  /** Runs a command on our own stdin, stdout and stderr, and gives it every signal that we get meanwhile. */
  run(child: Child): Promise<Ending>
  /** Lets signals do again what they do by default. */
  release(): void
}

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const

/**
 * Holds the signals that would end this process, so that it can clean up after a command and never ends before it. One
 * that comes before the command has begun counts as the command's end. What a terminal sends to the whole foreground group
 * (ctrl-C, ctrl-\) the command has already: passing it on would count as a second one, which many take for "at once".
 */
export function forwardSignals(host: SignalHost): Signals {
  // Read before a command shares it: Node makes a pipe non-blocking when it first touches stdin.
  const atTerminal = host.stdin.isTTY === true
  let pending: NodeJS.Signals | undefined
  let deliver = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGWINCH') pending ??= signal
  }
  const listener = (signal: NodeJS.Signals) => deliver(signal)
  for (const signal of PASSED_ON) host.on(signal, listener)
  return {
    async run(child) {
      if (pending) return { signal: pending }
      const begun = begin(child)
      if ('cannotRun' in begun) return begun
      deliver = signal => {
        const sentToAll = atTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')
        if (!sentToAll) begun.kill(signal)
      }
      return endingOf(begun)
    },
    release() {
      for (const signal of PASSED_ON) host.off(signal, listener)
    },
  }
}

/** Node throws some reasons why a command cannot be run (E2BIG) and emits others (ENOENT). */
function begin({ command, args, env }: Child): ChildProcess | { cannotRun: string } {
  try {
    return spawn(command, args, { env, stdio: 'inherit' })
  } catch (cause) {
    return { cannotRun: codeOf(cause) }
  }
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise(resolve => {
    child.on('error', cause => {
      // A signal that could not be delivered is an error too, and no end.
      if (child.pid === undefined) resolve({ cannotRun: codeOf(cause) })
    })
    child.on('exit', (exitCode, signal) => resolve(signal ? { signal } : { exitCode: exitCode ?? 1 }))
  })
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
}
