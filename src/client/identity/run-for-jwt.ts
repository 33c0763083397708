import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { withTimeout } from '../../lib/deadline.ts'
import { readTextUpTo } from '../../lib/process-input.ts'
import { shellWord } from '../../lib/shell-words.ts'
import { systemCodeNote } from '../../lib/system-error.ts'
import { failure, temporaryFailure } from '../errors.ts'
import { MAX_CREDENTIAL_BYTES } from './credential-text.ts'
import type { PlatformHost } from './platform.ts'

const TIMEOUT_MS = 15_000

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
 * CallerError if it cannot be run, fails (which may pass: it asks a server), prints more than a JWT or takes longer than 15 s; nothing that it printed is quoted.
 */
export async function runForJwt(
  [program, ...args]: readonly [string, ...string[]],
  { env, clock }: PlatformHost,
): Promise<string> {
  const { spawn } = await import('node:child_process')
  const words = [program, ...args].map(shellWord).join(' ')
  return withTimeout(
    async signal => {
      const child = spawn(program, args, {
        env,
        signal,
        killSignal: 'SIGKILL',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      // what the program started may outlive it, and keep the pipe open
      signal.addEventListener('abort', () => child.stdout.destroy(), { once: true })
      const ended = new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('close', resolve)
      }).catch(cause => {
        throw failure(`${program} cannot be run${systemCodeNote(cause)}`, cause)
      })
      const [code, text] = await Promise.all([ended, readTextUpTo(child.stdout, MAX_CREDENTIAL_BYTES)])
      if (text === undefined) throw failure(`${program} prints more than a JWT`)
      if (code !== 0)
        throw temporaryFailure(
          `${program} failed${exitNote(code)}: its own words are in \`${words} >/dev/null\``,
        )
      return text
    },
    {
      clock,
      timeoutMs: TIMEOUT_MS,
      timedOut: () => temporaryFailure(`${program} has not ended within ${TIMEOUT_MS / 1000} s`),
    },
  )
}

function exitNote(code: number | null): string {
  return code === null ? '' : ` (exit code ${code})`
}
