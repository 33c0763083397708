import { type ExitCode, startProgram } from '../support/service/started-program.ts'
import type { RecipeEnvironment } from './environment.ts'

/** A command that goes on running, as `jeton proxy` does. */
export interface Daemon {
  readonly pid: number
  /** The first line that it printed. */
  readonly firstLine: string
  /** What it wrote to stderr so far. */
  log(): string
  /** Sends SIGTERM, and waits for its end. */
  stop(): Promise<ExitCode>
}

/** Starts a command in the folder of a recipe, and waits for its first line. Rejects with its lines if it ends before that. */
export async function startDaemon(
  recipe: Pick<RecipeEnvironment, 'folder' | 'env'>,
  command: readonly string[],
): Promise<Daemon> {
  const program = startProgram(command, { env: recipe.env, cwd: recipe.folder, lastSignal: 'TERM' })
  const firstLine = await program.until(() => program.stdout[0])
  return {
    pid: program.process.pid ?? 0,
    firstLine,
    log: () => program.stderr.join('\n'),
    stop: program.stop,
  }
}
