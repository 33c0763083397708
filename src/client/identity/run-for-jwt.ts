import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withTimeout } from '../../lib/deadline.ts'
import { readTextUpTo } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { failure, temporaryFailure } from '../errors.ts'
import type { PlatformHost } from './platform.ts'

const TIMEOUT_MS = 15_000
const MAX_BYTES = 64 * 1024

/** Whether a program is in one of the folders of PATH, and may be run. */
export function isInPath(program: string, { env }: Pick<PlatformHost, 'env'>): boolean {
  return (env.PATH ?? '').split(delimiter).some(folder => folder !== '' && isProgram(join(folder, program)))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Runs a program of a platform, with this environment, and returns what it prints: a JWT, which therefore reaches no log. Throws
 * CallerError if it cannot be run, fails, prints more than a JWT or takes longer than 15 s; nothing that it printed is quoted.
 */
export async function runForJwt(
  [program, ...args]: readonly [string, ...string[]],
  { env, clock }: PlatformHost,
): Promise<string> {
  const { spawn } = await import('node:child_process')
  return withTimeout(
    async signal => {
      const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('close', resolve)
      }).catch(cause => {
        throw failure(`${program} cannot be run${systemCodeNote(cause)}`, cause)
      })
      const printed = readTextUpTo(child.stdout, MAX_BYTES)
      const [code, text] = await Promise.all([ended, printed])
      if (code !== 0)
        throw failure(
          `${program} failed${code === null ? '' : ` (exit code ${code})`}: for its reason, run ${[program, ...args.slice(0, 3)].join(' ')} … >/dev/null`,
        )
      if (text === undefined) throw failure(`${program} prints more than a JWT`)
      return text
    },
    {
      clock,
      timeoutMs: TIMEOUT_MS,
      timedOut: () => temporaryFailure(`${program} has not ended within ${TIMEOUT_MS / 1000} s`),
    },
  )
}
