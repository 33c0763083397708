import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { RecipeEnvironment } from './environment.ts'

/** A command that goes on running, as `jeton proxy` does. */
export interface Daemon {
  readonly pid: number
  /** The first line that it printed. */
  readonly firstLine: string
  /** What it wrote to stderr so far. */
  log(): string
  /** Sends SIGTERM; returns the exit code, or the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals>
}

/** Starts a command in the folder of a recipe, and waits for its first line. Throws with its stderr if it ends before that. */
export async function startDaemon(
  recipe: Pick<RecipeEnvironment, 'folder' | 'env'>,
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Daemon> {
  const child = spawn(file, args, {
    cwd: recipe.folder,
    env: { ...recipe.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', chunk => {
    log += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const firstLine = new Promise<string>(resolve => createInterface(child.stdout).once('line', resolve))
  const line = await Promise.race([firstLine, ended.then(() => undefined)])
  if (line === undefined || child.pid === undefined) throw new Error(`${file} has ended: ${log}`)
  return {
    pid: child.pid,
    firstLine: line,
    log: () => log,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
