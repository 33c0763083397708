import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock } from '../../lib/clock.ts'
import type { Environment } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'

export interface RunCommandParts {
  /** The whole environment of the command. */
  env: Environment
  clock: Pick<Clock, 'sleep'>
  /** Ends the command. */
  signal: AbortSignal
}

/** How long a command may take. */
const DEADLINE_MS = 60_000
/** How long one that is told to end may take for that. */
const GRACE_MS = 5000
const STDERR = 2

/**
 * Resolves when a command line of the shell has ended well. What it prints goes to stderr. Rejects with CallerError that does not
 * quote it, which may have secrets in it, if it fails or does not end within a minute: then it is ended with all that it started.
 */
export async function runCommand(command: string, { env, clock, signal }: RunCommandParts): Promise<void> {
  signal.throwIfAborted()
  // a group of its own, so that what it starts ends with it
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...env },
    stdio: ['ignore', STDERR, STDERR],
    detached: true,
  })
  const over = new AbortController()
  const stop = () => endGroup(child, 'SIGTERM')
  let isLate = false
  async function endLate(): Promise<void> {
    await clock.sleep(DEADLINE_MS, over.signal)
    isLate = true
    stop()
    await clock.sleep(GRACE_MS, over.signal)
    endGroup(child, 'SIGKILL')
  }
  signal.addEventListener('abort', stop)
  endLate().catch(() => {})
  try {
    const problem = await endOf(child)
    if (isLate) throw failure(`it did not end within ${DEADLINE_MS / 1000} s, and was ended`)
    if (problem !== undefined) throw failure(problem)
  } finally {
    over.abort()
    signal.removeEventListener('abort', stop)
  }
}

/** Resolves with why it failed; undefined if it did not. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise(resolve => {
    child.once('error', cause => resolve(`it cannot be run${systemCodeNote(cause)}`))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined)
      else resolve(signal ? `${signal} ended it` : `its exit code is ${code}`)
    })
  })
}

function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // it has ended already
  }
}
