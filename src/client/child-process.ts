import { type ChildProcess, spawn } from 'node:child_process'
import type { Environment } from '../lib/process-input.ts'
import { systemCode } from '../lib/system-error.ts'

/** The part of Node's `process` that is needed to forward signals. */
export interface SignalHost {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  kill(pid: number, signal: NodeJS.Signals): unknown
  readonly pid: number
  readonly stdin: { readonly isTTY?: boolean }
}

/** How a command ended, or the system's code for why it could not be started, such as ENOENT. */
export type CommandResult = { exitCode: number } | { signal: NodeJS.Signals } | { startFailure: string }

export interface ChildCommand {
  command: string
  args: readonly string[]
  env: Environment
}

export interface SignalForwarder {
  /** Resolves with the first signal that arrives before the command starts. */
  readonly interrupted: Promise<NodeJS.Signals>
  /** Runs a command on this process's stdin, stdout and stderr, and forwards signals to it until it ends. */
  run(command: ChildCommand): Promise<CommandResult>
  /** Restores the default effect of signals. */
  release(): void
}

/** All that would end this process and can be caught, and SIGWINCH. Names that a system does not know do nothing there. */
const FORWARDED_SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGIO',
  'SIGPWR',
  'SIGSTKFLT',
  'SIGWINCH',
] as const

/**
 * Catches the signals that would end this process, so that it outlives the command and can clean up after it. A signal that
 * arrives before the command starts counts as the command's end. A terminal sends ctrl-C and ctrl-\ to the whole foreground
 * group: the command has these already, and a second one would mean "at once" to many programs, so they are not forwarded.
 */
export function forwardSignals(host: SignalHost): SignalForwarder {
  // before a command shares stdin, because Node makes a pipe non-blocking on first use
  const isTerminal = host.stdin.isTTY === true
  let pending: NodeJS.Signals | undefined
  let interrupt: (signal: NodeJS.Signals) => void = () => {}
  const interrupted = new Promise<NodeJS.Signals>(resolve => {
    interrupt = resolve
  })
  let onSignal = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGWINCH') return
    pending ??= signal
    interrupt(pending)
  }
  const listener = (signal: NodeJS.Signals) => onSignal(signal)
  for (const signal of FORWARDED_SIGNALS) host.on(signal, listener)
  return {
    interrupted,
    async run(command) {
      if (pending) return { signal: pending }
      const child = start(command)
      if ('startFailure' in child) return child
      onSignal = signal => {
        const isFromTerminal = isTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT')
        if (!isFromTerminal) child.kill(signal)
      }
      return resultOf(child)
    },
    release() {
      for (const signal of FORWARDED_SIGNALS) host.off(signal, listener)
    },
  }
}

/** Node throws some reasons why a command cannot be started (E2BIG) and emits others (ENOENT). */
function start({ command, args, env }: ChildCommand): ChildProcess | { startFailure: string } {
  try {
    return spawn(command, args, { env, stdio: 'inherit' })
  } catch (cause) {
    return { startFailure: systemCode(cause) ?? 'unknown' }
  }
}

function resultOf(child: ChildProcess): Promise<CommandResult> {
  return new Promise(resolve => {
    child.on('error', cause => {
      // a signal that could not be sent is an error too, but then the command still runs
      if (child.pid === undefined) resolve({ startFailure: systemCode(cause) ?? 'unknown' })
    })
    child.on('exit', (exitCode, signal) => resolve(signal ? { signal } : { exitCode: exitCode ?? 1 }))
  })
}
