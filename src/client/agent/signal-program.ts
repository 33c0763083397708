import { readFile } from 'node:fs/promises'
import { systemCode, systemCodeNote } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'

export interface SignalProgramOptions {
  signal: NodeJS.Signals
  /** Its first line is a process id. */
  pidFile: string
}

export interface Killer {
  /** As that of Node's `process`. */
  kill(pid: number, signal: NodeJS.Signals): unknown
  readonly pid: number
}

/**
 * Sends a signal to the program whose id is in a file, which is read anew each time. Returns whether there is such a file: without
 * one, the program does not run, and will read what is there when it starts. Rejects with CallerError if there is no such process
 * or it is another user's, and for ids that are no single program's, which get no signal.
 */
export async function signalProgram(
  { signal, pidFile }: SignalProgramOptions,
  host: Killer,
): Promise<boolean> {
  const text = await readFile(pidFile, 'utf8').catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw failure(`${pidFile} cannot be read${systemCodeNote(cause)}`, cause)
  })
  if (text === undefined) return false
  const [, digits] = /^\s*(\d{1,10})\s*(?:\n|$)/.exec(text) ?? []
  const pid = Number(digits)
  // 0 is this program's whole group, 1 what all others belong to
  if (digits === undefined || pid <= 1 || pid === host.pid)
    throw failure(`${pidFile} does not begin with the id of a program that may get ${signal}`)
  try {
    host.kill(pid, signal)
    return true
  } catch (cause) {
    const why =
      systemCode(cause) === 'ESRCH'
        ? `no process has the id ${pid} of ${pidFile}, which is left over`
        : `the process ${pid} of ${pidFile} cannot get ${signal}${systemCodeNote(cause)}: it is another user's`
    throw failure(why, cause)
  }
}
