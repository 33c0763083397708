import { stat } from 'node:fs/promises'
import { CANNOT_RUN, NOT_FOUND } from './exit-codes.ts'

/** What to print for a command that could not be started, after its name, and with which code to exit. */
export interface StartFailure {
  problem: string
  exitCode: number
}

/** Returns why a command could not be started and what to do, by the system's code, such as ENOENT. Looks at the file. */
export async function explainStartFailure(command: string, code: string): Promise<StartFailure> {
  if (code === 'ENOENT') return { problem: await whyNotFound(command), exitCode: NOT_FOUND }
  return { problem: await whyNotRun(command, code), exitCode: CANNOT_RUN }
}

async function whyNotFound(command: string): Promise<string> {
  if (/\s/.test(command))
    return "is not found: give the command and its arguments as words of their own, or run sh -c '…'"
  if (/^\w+=/.test(command))
    return 'is not found: to set a variable for the command, run env NAME=VALUE COMMAND …'
  if (!command.includes('/')) return 'is not found: install it, add its folder to PATH, or give its path'
  return (await kindOf(command)) === undefined
    ? 'is not found: there is no such file'
    : 'cannot start: the interpreter that its first line names is not found'
}

async function whyNotRun(command: string, code: string): Promise<string> {
  const problem = `cannot be run (${code})`
  if (code === 'E2BIG') return `${problem}: its arguments and the environment are too long for this system`
  if (code === 'EAGAIN' || code === 'ENOMEM') return `${problem}: this system has no room for another process`
  if (code !== 'EACCES') return problem
  return (await kindOf(command)) === 'folder'
    ? `${problem}: it is a folder`
    : `${problem}: make it executable (chmod +x), or run it by its interpreter, such as sh FILE`
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined
  return found.isDirectory() ? 'folder' : 'file'
}
